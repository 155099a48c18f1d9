/** A Lambda function as a user names it, taken apart. */
export interface FunctionReference {
  /** As it stands in the settings. */
  readonly configured: string;
  readonly partition?: string;
  readonly region?: string;
  /** The 12 digits of the AWS account. */
  readonly account?: string;
  readonly name: string;
  /** Version number, alias or `$LATEST`. */
  readonly qualifier?: string;
}
