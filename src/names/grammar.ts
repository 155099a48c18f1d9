/**
 * How AWS's names are written: the sources of regular expressions, without anchors. Nothing in them but what JavaScript,
 * JSON Schema, CloudFormation (Java) and Terraform (RE2) read alike.
 *
 * The patterns of `schemas/settings.schema.json`, and with them those of the hosts' forms, are these; the build compares
 * them.
 */

export const PARTITION = "aws[a-z-]*";
export const REGION = "[a-z]{2,4}(?:-[a-z]+){1,3}-[0-9]{1,2}";
/** Of an AWS account. */
export const ACCOUNT = "[0-9]{12}";
/** Invoke would take a dot in it, but no function can be made with one. */
export const FUNCTION_NAME = "[a-zA-Z0-9_-]{1,64}";
/** A version, an alias, or the unpublished version by its name. */
export const QUALIFIER = "\\$LATEST(?:\\.PUBLISHED)?|[a-zA-Z0-9_-]{1,128}";

/**
 * The forms of a function that Lambda's Invoke accepts, as a person writes them: an ARN, or from a name up to what an
 * ARN has, with or without the word `function`. A region counts as one only before an account: `my-fn-1:live` is a
 * function and its alias.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 */
export const FUNCTION_FORMS: readonly string[] = [
  `arn:(?<partition>${PARTITION}):lambda:(?<region>${REGION}):(?<account>${ACCOUNT}):function:(?<name>${FUNCTION_NAME})(?::(?<qualifier>${QUALIFIER}))?`,
  `(?:(?:(?<region>${REGION}):)?(?<account>${ACCOUNT}):)?(?:function:)?(?<name>${FUNCTION_NAME})(?::(?<qualifier>${QUALIFIER}))?`,
];
export const FUNCTION = FUNCTION_FORMS.join("|").replace(/\?<\w+>/g, "?:");
export const UNQUALIFIED_FUNCTION_ARN = `arn:${PARTITION}:lambda:${REGION}:${ACCOUNT}:function:${FUNCTION_NAME}`;

const WORD = "[a-zA-Z0-9_+=,.@-]";
export const ROLE_NAME = `${WORD}{1,64}`;
export const ROLE_ARN = `arn:${PARTITION}:iam::${ACCOUNT}:role/(?:${WORD}+/)*${ROLE_NAME}`;
/** Whom a trust policy of ours may name. */
export const PRINCIPAL_ARN = `arn:${PARTITION}:iam::${ACCOUNT}:(?:root|(?:user|role)/(?:${WORD}+/)*${ROLE_NAME})`;
/** The address of a FIFO queue at SQS, or at what stands in for it. */
export const FIFO_QUEUE_URL = `https?://[^/]+/${ACCOUNT}/[a-zA-Z0-9_-]{1,75}[.]fifo`;
/** A managed policy, AWS's own included. */
export const POLICY_ARN = `arn:${PARTITION}:iam::(?:${ACCOUNT}|aws):policy/(?:${WORD}+/)*${WORD}{1,128}`;
