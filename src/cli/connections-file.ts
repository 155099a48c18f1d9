import {
  ConnectionsError,
  type ConnectionsFileOptions,
  connectionsFromFile,
  type LoadedConnections,
} from "../hosts/webhook/connections-file";
import { processSecrets } from "../hosts/webhook/secret-values";
import { type Io, UsageError } from "./command";
import { operatorPolicy } from "./operator-policy";
import { readJsonFile } from "./settings-file";

/** What a command makes of the connections of a file. */
export type ConnectionsUse = Pick<ConnectionsFileOptions, "behind" | "accepting" | "keepIn" | "insecure">;

/**
 * The connections of a file, checked, with their secrets from the environment and from files.
 *
 * @throws UsageError where the file, a connection in it or the operator's environment is no good
 */
export async function readConnectionsFile(path: string, io: Io, use: ConnectionsUse): Promise<LoadedConnections> {
  const file = await readJsonFile(path);
  try {
    return connectionsFromFile(file, { operator: operatorPolicy(io), secrets: processSecrets(io.env), ...use });
  } catch (error) {
    if (error instanceof ConnectionsError)
      throw new UsageError(`${path} is not right:\n${error.message.replace(/^/gm, "  ")}`);
    throw error;
  }
}
