// @ts-nocheck
import { parseArgs } from "node:util";
import { addPermissionCommand } from "../iam/add-permission";
import { cloudFormationTemplate } from "../iam/cloudformation";
import type { InvokerRole } from "../iam/invoker-role";
import { permissionPolicy, trustPolicy } from "../iam/policies";
import { foreignFunctions, invokerRole } from "../iam/role";
import { terraformModule } from "../iam/terraform";
import { operatorPolicyFromEnvironment } from "../settings/operator-policy";
import { SettingsError } from "../settings/settings-error";
import { type Command, type ExitCode, type Io, UsageError } from "./command";
import { readSettingsFile } from "./settings-file";

const help = `Usage: amazon-lambda-destination iam --settings <file> --principal <ARN> [options]

Prints what creates the IAM role that the router assumes, filled in from the settings: it may invoke the functions in
them and nothing else. Without --settings, the template with nothing filled in.

  --settings <file>       JSON file with the destination's settings; the role in them need not exist yet
  --principal <ARN>       IAM role or user that the router runs as; "aws sts get-caller-identity" tells, run as the router
  --external-id <id>      one more external ID, for each further source that is to use the role; may be repeated
  --account <digits>      AWS account of functions given by their name alone, where the settings have no Role Address
  --format <format>       cloudformation (default), terraform, or json: the two policies for the IAM console
  --help

Exit codes: 0 done, 2 wrong usage or settings.
`;

export const iam: Command = {
  summary: "Prints the IAM role that the settings need, as a template or as policies",
  help,
  run,
};

const FORMATS: Readonly<Record<string, (role: InvokerRole | undefined) => string>> = {
  cloudformation: cloudFormationTemplate,
  terraform: terraformModule,
  json(role) {
    if (!role) throw new UsageError("--format json needs --settings and --principal: policies cannot be left open.");
    const policies = { trustPolicy: trustPolicy(role), permissionPolicy: permissionPolicy(role) };
    return `${JSON.stringify(policies, null, 2)}\n`;
  },
};

async function run(argv: readonly string[], io: Io): Promise<ExitCode> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      settings: { type: "string" },
      principal: { type: "string" },
      "external-id": { type: "string", multiple: true },
      account: { type: "string" },
      format: { type: "string", default: "cloudformation" },
    },
  });
  const render = Object.hasOwn(FORMATS, values.format) ? FORMATS[values.format] : undefined;
  if (!render) throw new UsageError(`--format must be one of ${Object.keys(FORMATS).join(", ")}.`);
  const { settings: _settings, format: _format, ...filling } = values;
  if (values.settings === undefined && Object.keys(filling).length > 0) {
    throw new UsageError(
      "--settings <file> is needed to fill the template in: a JSON file with the destination's settings.",
    );
  }
  const role = values.settings === undefined ? undefined : await roleFrom(values.settings, values, io);
  io.stdout.write(usable(() => render(role)));
  for (const note of role ? notes(role) : []) io.stderr.write(`Note: ${note}\n`);
  return 0;
}

interface Values {
  readonly principal?: string | undefined;
  readonly account?: string | undefined;
  readonly "external-id"?: readonly string[] | undefined;
}

async function roleFrom(path: string, values: Values, io: Io): Promise<InvokerRole> {
  const settings = await readSettingsFile(path);
  const { principal, account, "external-id": externalIds } = values;
  if (!principal) {
    throw new UsageError(
      '--principal <ARN> is needed: the IAM role or user that the router runs as. "aws sts get-caller-identity" tells, run as the router.',
    );
  }
  return usable(() =>
    invokerRole(settings, {
      principalArn: principal,
      operator: operatorPolicyFromEnvironment(io.env),
      ...(externalIds && { externalIds }),
      ...(account !== undefined && { account }),
    }),
  );
}

/** @throws UsageError that says what is wrong with the settings or the options */
function usable<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof SettingsError) throw new UsageError(error.message);
    throw error;
  }
}

function notes(role: InvokerRole): string[] {
  const { principalArn, arn = "" } = role;
  const wholeAccount = principalArn.endsWith(":root")
    ? [
        `${principalArn} is a whole account: whoever in it may call sts:AssumeRole gets the role with the external ID. Better name the router's own role.`,
      ]
    : [];
  const foreign = foreignFunctions(role).map(
    (each) =>
      `${each} is in another account than the role; its owner has to agree:\n  ${addPermissionCommand(each, arn)}`,
  );
  return [...wholeAccount, ...foreign];
}
