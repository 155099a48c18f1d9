// @ts-nocheck
import { createNodeAws } from "../../src/aws/node";
import { type CheckOptions, checkConnectionIn } from "../../src/iam/check-connection";
import type { CheckReport, CheckStep } from "../../src/iam/check-report";
import { type EmbeddedAws, type EmbeddedAwsOptions, startEmbeddedAws } from "../../src/local/aws/embedded-aws";
import type { AccessKey } from "../../src/local/aws/identities";
import { DEFAULT_OPERATOR_POLICY, type OperatorPolicy } from "../../src/settings/operator-policy";
import { permit, trust } from "../local/aws/policies";

/** An AWS account set up as it should be: what a test then spoils. */
export interface Scene {
  readonly aws: EmbeddedAws;
  readonly router: AccessKey & { readonly arn: string };
  readonly roleArn: string;
  readonly functionArn: string;
  /** Right settings for all of it, with the router's keys. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** The role anew, with other policies. */
  changeRole(policies: { trust?: object; permission?: object }): void;
}

export const EXTERNAL_ID = "source-1";
const OWN_VARIABLES = /^AWS_|^AMAZON_LAMBDA_/;

/** This process without AWS identity and configuration of its own, pointed at the embedded AWS. */
export function pointEnvironmentAt(url: string, more: Readonly<Record<string, string>> = {}): void {
  for (const name of Object.keys(process.env).filter((each) => OWN_VARIABLES.test(each))) delete process.env[name];
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: url,
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_CONFIG_FILE: "/nonexistent/config",
    AWS_SHARED_CREDENTIALS_FILE: "/nonexistent/credentials",
    ...more,
  });
}

export async function startScene(options: EmbeddedAwsOptions = {}): Promise<Scene> {
  const aws = await startEmbeddedAws(options);
  pointEnvironmentAt(aws.url);
  const router = aws.addUser({ name: "router", policy: permit("sts:AssumeRole", "*") });
  const { arn: functionArn } = aws.addFunction({
    name: "orders",
    handler: (event) => ({ got: event }),
    versions: { "1": { handler: () => "one" } },
    aliases: { live: "1" },
  });
  const right = {
    trust: trust(router.arn, EXTERNAL_ID),
    permission: permit("lambda:InvokeFunction", [functionArn, `${functionArn}:*`]),
  };
  const changeRole = (policies: { trust?: object; permission?: object }) => {
    const { trust: trustPolicy, permission } = { ...right, ...policies };
    return aws.addRole({ name: "invoker", trustPolicy, permissionPolicies: [permission] });
  };
  const { arn: roleArn } = changeRole({});
  const settings = {
    lambda: functionArn,
    roleAddress: roleArn,
    externalId: EXTERNAL_ID,
    accessKeyId: router.accessKeyId,
    secretAccessKey: router.secretAccessKey,
  };
  return { aws, router, roleArn, functionArn, settings, changeRole };
}

/** The report of a check, which must never hold a secret. */
export async function check(
  { settings: right, router }: Scene,
  settings: Readonly<Record<string, unknown>> = {},
  { operator = DEFAULT_OPERATOR_POLICY, ...options }: CheckOptions & { readonly operator?: OperatorPolicy } = {},
): Promise<CheckReport> {
  const surroundings = { aws: createNodeAws(), operator: () => operator };
  const report = await checkConnectionIn(surroundings, { ...right, ...settings }, options);
  expect(JSON.stringify(report)).not.toContain(router.secretAccessKey);
  expect(report.ok).toBe(report.steps.every(({ diagnosis }) => diagnosis === undefined));
  return report;
}

export function failures({ steps }: CheckReport): CheckStep[] {
  return steps.filter(({ ok }) => !ok);
}
