import type { Aws } from "../src/aws/aws";
import { Sessions } from "../src/aws/sessions";
import { Gates } from "../src/delivery/gates";
import type { Surroundings } from "../src/destination/contract";
import { DEFAULT_OPERATOR_POLICY } from "../src/settings/operator-policy";

/** What one router's destinations run on, as its operator left it unless said otherwise. */
export function routerOn(aws: Aws, operator: Surroundings["operator"] = () => DEFAULT_OPERATOR_POLICY): Surroundings {
  return { aws, sessions: new Sessions(aws), gates: new Gates(aws.clock), operator };
}
