// @ts-nocheck
import { types } from "node:util";
import type { FunctionError } from "./runtime";

/** Whatever a handler threw, as Lambda's Node.js runtime reports it. */
export function functionError(thrown: unknown): FunctionError {
  try {
    if (isError(thrown)) {
      return { errorType: thrown.name, errorMessage: thrown.message, trace: String(thrown.stack).split("\n") };
    }
    return { errorType: typeof thrown, errorMessage: String(thrown), trace: [] };
  } catch {
    return { errorType: "handled", errorMessage: "The error could not be read: a getter or toString of it threw." };
  }
}

function isError(thrown: unknown): thrown is Error {
  if (types.isNativeError(thrown)) return true;
  const candidate = thrown as Partial<Error> | null | undefined;
  return Boolean(candidate?.name && candidate.message && candidate.stack);
}

/** The JSON of what a handler returned. @throws Error if it has none (circular, BigInt) */
export function serialize(result: unknown): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(result);
  } catch {
    throw new Error("Unable to stringify response body");
  }
  return json ?? "null";
}
