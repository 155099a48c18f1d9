import { createNodeAws, type NodeAws } from "./aws/node";
import { Sessions } from "./aws/sessions";
import { Gates, type GatesState } from "./delivery/gates";
import type { HostedDestination, Surroundings } from "./destination/contract";
import { createDestinationIn } from "./destination/create-destination";
import { type OperatorPolicy, operatorPolicyFromEnvironment, unsafeForTenants } from "./settings/operator-policy";
import { SettingsError } from "./settings/settings-error";

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

/** What an operator may want to know of what all destinations of the process share. */
export function sharedState(): { readonly sessions: number; readonly gates: GatesState } {
  const { sessions, gates } = nodeSurroundings();
  return { sessions: sessions.size, gates: gates.state };
}

/** `createDestination` of the package's face, with what hosts need of it whose queue lies between planning and sending. */
export function createHostedDestination(settings: unknown, options?: HostedOptions): HostedDestination {
  return createDestinationIn(nodeSurroundings(options), settings);
}

/**
 * For a host that may serve people who do not trust each other: call it with the workspace of every event. With the second
 * workspace it warns the operator, once, of what is unsafe by default; Node.js writes its warnings to stderr.
 *
 * @param defaults as in {@link HostedOptions}
 */
export function tenantWatch(defaults?: OperatorPolicy): (workspaceId: string | undefined) => void {
  let first: string | undefined;
  let warned = false;
  return (workspaceId) => {
    if (warned || workspaceId === undefined || workspaceId === first) return;
    if (first === undefined) first = workspaceId;
    else {
      warned = true;
      warnOfTenants(defaults);
    }
  };
}

function warnOfTenants(defaults?: OperatorPolicy): void {
  let advice: readonly string[];
  try {
    advice = unsafeForTenants(operatorPolicyFromEnvironment(process.env, defaults));
  } catch (error) {
    // Every delivery says so.
    if (error instanceof SettingsError) return;
    throw error;
  }
  if (advice.length === 0) return;
  const detail = advice.join("\n");
  process.emitWarning("Amazon Lambda: this router serves several workspaces.", {
    code: "AMAZON_LAMBDA_TENANTS",
    detail,
  });
}
