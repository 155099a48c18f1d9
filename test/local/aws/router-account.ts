import type { EmbeddedAws } from "../../../src/local/aws/embedded-aws";
import { permit, trust } from "./policies";

/** A router with keys, and the role that it assumes for the source `my-source-id`, as settings have them. */
export function addRouter(aws: EmbeddedAws) {
  const { arn, accessKeyId, secretAccessKey } = aws.addUser({ name: "router" });
  const { arn: roleAddress } = aws.addRole({
    name: "router-events-invoker",
    trustPolicy: trust(arn, "my-source-id"),
    permissionPolicies: [permit("lambda:InvokeFunction", "*")],
  });
  return { roleAddress, accessKeyId, secretAccessKey };
}
