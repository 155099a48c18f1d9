// @ts-nocheck
import { unqualifiedArn } from "../names/function-reference";
import { accountOf } from "../names/principals";
import { addPermissionCommand } from "./add-permission";
import { CALL_DIAGNOSES, type FailedCall } from "./call-diagnoses";
import type { DiagnosisRule } from "./diagnosis";
import { denyingPolicy } from "./role-diagnoses";

/** What a `DryRun` says: it may be invoked, it may be but is not there, it may not be, or nothing of the kind. */
export type DryRun = "invocable" | "missing" | "denied" | "unclear";

/** A `DryRun` that failed, and what else was tried to learn why. */
export interface FailedDryRun extends FailedCall {
  /** ARN with version or alias. */
  readonly functionArn: string;
  readonly qualifier?: string;
  /** ARN of the role, or of the identity that invokes where there is no role. */
  readonly invokerArn: string;
  readonly outcome: DryRun;
  /** The same without version or alias. */
  readonly unqualified: DryRun;
  /** Other regions where it may be invoked. */
  readonly elsewhere: readonly string[];
}

const isVersion = (qualifier: string | undefined) => /^\d+$/.test(qualifier ?? "");
const lacksQualifier = ({ outcome, unqualified, qualifier }: FailedDryRun) =>
  outcome === "missing" && qualifier !== undefined && unqualified === "invocable";

/** What can be wrong with invoking a function. */
export const FUNCTION_DIAGNOSES: readonly DiagnosisRule<FailedDryRun>[] = [
  {
    name: "FunctionInAnotherRegion",
    label: "Function in another region",
    applies: ({ elsewhere }) => elsewhere.length > 0,
    advice: ({ elsewhere, region }) =>
      `The function is in ${elsewhere.join(" and ")}, not in ${region}. Set Region to ${elsewhere[0]}, and use that region in the function's ARN.`,
  },
  {
    name: "ExplicitDeny",
    label: "Explicit deny",
    applies: ({ outcome, error }) => outcome === "denied" && /explicit deny/.test(error.message),
    advice: ({ error, functionArn, invokerArn }) =>
      `${denyingPolicy(error.message)} denies lambda:InvokeFunction on ${functionArn} to ${invokerArn}. No Allow outweighs that: take the Deny out, or except the role from it.`,
  },
  {
    name: "OtherAccountWithoutPermission",
    label: "Function in another account without permission",
    applies: ({ outcome, functionArn, invokerArn, error }) =>
      outcome === "denied" && accountOf(functionArn) !== accountOf(invokerArn) && !/identity-based/.test(error.message),
    advice: ({ functionArn, invokerArn }) =>
      `The function is in account ${accountOf(functionArn)}, ${invokerArn} is not: the function has to allow it as well. If that account is right, its owner runs: ${addPermissionCommand(functionArn, invokerArn)}`,
  },
  {
    name: "MissingQualifierPermission",
    label: 'Missing ":*" for a version or alias',
    applies: ({ outcome, unqualified, qualifier }) =>
      outcome === "denied" && qualifier !== undefined && (unqualified === "invocable" || unqualified === "missing"),
    advice: ({ functionArn, qualifier, invokerArn }) =>
      `The permission policy of ${invokerArn} allows the function, but not its "${qualifier}". Add to Resource: "${unqualifiedArn(functionArn)}:*"`,
  },
  {
    name: "MissingInvokePermission",
    label: "Missing lambda:InvokeFunction",
    applies: ({ outcome }) => outcome === "denied",
    advice: ({ functionArn, invokerArn }) => {
      const arn = unqualifiedArn(functionArn);
      const statement = { Effect: "Allow", Action: "lambda:InvokeFunction", Resource: [arn, `${arn}:*`] };
      return `The permission policy of ${invokerArn} does not allow ${functionArn}. If the name is right, add: ${JSON.stringify(statement)}, or print the role anew with the iam command and deploy it; otherwise correct it in the settings.`;
    },
  },
  {
    name: "DeletedVersion",
    label: "Deleted version",
    applies: (observed) => lacksQualifier(observed) && isVersion(observed.qualifier),
    advice: ({ functionArn, qualifier }) =>
      `The function is there, its version ${qualifier} is not. Name another version in the settings, or better an alias, or none: ${unqualifiedArn(functionArn)}`,
  },
  {
    name: "DeletedAlias",
    label: "Deleted alias",
    applies: lacksQualifier,
    advice: ({ functionArn, qualifier, region }) =>
      `The function is there, its alias "${qualifier}" is not. Create it: aws lambda create-alias --region ${region} --function-name ${unqualifiedArn(functionArn)} --name ${qualifier} --function-version <version>; or name another one in the settings.`,
  },
  {
    name: "DeletedFunction",
    label: "Deleted function",
    applies: ({ outcome }) => outcome === "missing",
    advice: ({ functionArn, region }) =>
      `There is no ${functionArn}. It was deleted, its name is mistyped, or it is in another region than ${region}, where this role may not look: correct the function or Region in the settings.`,
  },
  ...CALL_DIAGNOSES,
];
