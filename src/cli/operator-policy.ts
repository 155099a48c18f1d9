import { type OperatorPolicy, operatorPolicyFromEnvironment } from "../settings/operator-policy";
import { SettingsError } from "../settings/settings-error";
import { type Io, UsageError } from "./command";

/**
 * What the operator's variables say in the environment of the command.
 *
 * @throws UsageError for a value that means nothing
 */
export function operatorPolicy({ env }: Pick<Io, "env">): OperatorPolicy {
  try {
    return operatorPolicyFromEnvironment(env);
  } catch (error) {
    throw error instanceof SettingsError ? new UsageError(error.message) : error;
  }
}
