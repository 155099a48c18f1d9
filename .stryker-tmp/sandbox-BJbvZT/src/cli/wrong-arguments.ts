// @ts-nocheck
import { UsageError } from "./command";

/**
 * What `parseArgs` of Node.js found wrong, on one line and with the way to the command's help; nothing for other errors.
 *
 * @param command as it is typed: `install jitsu`
 */
export function wrongArguments(error: unknown, command: string): UsageError | undefined {
  const { code, message } = error as NodeJS.ErrnoException;
  if (!code?.startsWith("ERR_PARSE_ARGS")) return undefined;
  return new UsageError(`${problem(message)}. See amazon-lambda-destination ${command} --help.`);
}

function problem(message: string): string {
  const [, option] = /^Option '([^' ]+)[^']*' argument is ambiguous/.exec(message) ?? [];
  if (option) return `${option} needs a value; one that begins with a dash is given as ${option}=-value`;
  // What follows is advice about Node.js's own API and quoting.
  return message.split(/\.?\n|\. /)[0] ?? message;
}
