// @ts-nocheck
import { type FunctionReference, parseFunctionReference } from "../../names/function-reference";

/** What a caller may write for a function in an Invoke request. */
export type FunctionName = Omit<FunctionReference, "configured">;

/**
 * Constraint of `FunctionName` in Invoke.
 * @see https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 */
export const functionNamePattern =
  "(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_\\.]+)(:(\\$LATEST(\\.PUBLISHED)?|[a-zA-Z0-9-_]+))?";

const constraint = new RegExp(`^${functionNamePattern}$`);

/** Takes apart a name, `name:qualifier`, partial ARN or ARN; undefined for anything else. */
export function parseFunctionName(text: string): FunctionName | undefined {
  if (text.length > 256 || !constraint.test(text)) return undefined;
  try {
    return parseFunctionReference(text);
  } catch {
    // Lambda lets through what no function can be called, and then finds none.
    return { name: text };
  }
}
