import { createNodeAws, type NodeAws } from "./aws/node";
import { Sessions } from "./aws/sessions";
import { Gates } from "./delivery/gates";
import { createDestinationIn, type HostedDestination, type Surroundings } from "./destination";
import { type OperatorPolicy, operatorPolicyFromEnvironment } from "./settings/operator-policy";

/** How a destination is to behave beyond its settings. */
export interface DestinationOptions {
  /** What the operator allows; by default what the environment says (`AMAZON_LAMBDA_…`). */
  readonly operator?: OperatorPolicy;
}

let shared: { readonly aws: NodeAws; readonly sessions: Sessions; readonly gates: Gates } | undefined;

/** What a host of ours adds. */
export interface HostedOptions extends DestinationOptions {
  /** What holds in this host where the operator has said nothing. */
  readonly defaults?: OperatorPolicy;
}

/** What all destinations of a process run on: connections, sessions and gates are shared. */
export function nodeSurroundings({ operator, defaults }: HostedOptions = {}): Surroundings & { readonly aws: NodeAws } {
  if (!shared) {
    const aws = createNodeAws();
    shared = { aws, sessions: new Sessions(aws), gates: new Gates(aws.clock) };
  }
  return { ...shared, operator: () => operator ?? operatorPolicyFromEnvironment(process.env, defaults) };
}

/** `createDestination` of the package's face, with what hosts need of it whose queue lies between planning and sending. */
export function createHostedDestination(settings: unknown, options?: HostedOptions): HostedDestination {
  return createDestinationIn(nodeSurroundings(options), settings);
}
