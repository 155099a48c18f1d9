// @ts-nocheck
import { parseArgs } from "node:util";
import pc from "picocolors";
import type { CheckReport, CheckStep, CheckStepName } from "../iam/check-report";
import { type CheckOptions, checkConnection } from "../index";
import { type OperatorPolicy, operatorPolicyFromEnvironment } from "../settings/operator-policy";
import { SettingsError } from "../settings/settings-error";
import { type Command, type ExitCode, type Io, UsageError } from "./command";
import { printable, printableJson, printableLines } from "./printable";
import { readSettingsFile } from "./settings-file";

const help = `Usage: amazon-lambda-destination check --settings <file> [options]

Tests the connection the way it will be used, as the AWS identity that runs this command: run it where the router runs.
Nothing is changed at AWS, and no function runs unless --send is given.

  --settings <file>       JSON file with the destination's settings
  --source-id <id>        the source's ID: the external ID where the settings have none, or where the operator pins it to it
  --workspace-id <id>     the workspace's ID, where the operator pins the external ID to it
  --send                  sends a sample event per configured call type, and shows result, duration and log
  --principal <ARN>       whom the role's trust policy names: tells whether that is who the router runs as
  --external-id <id>      an external ID that may stand in the trust policy, tried where the right one is refused; may be repeated
  --json                  the whole report as JSON
  --help

AWS is reached as the AWS SDK does it: AWS_PROFILE, AWS_ENDPOINT_URL and so on.
The operator's variables count as in the router: AMAZON_LAMBDA_EXTERNAL_ID, AMAZON_LAMBDA_ALLOW_AMBIENT_CREDENTIALS,
AMAZON_LAMBDA_MAX_TIMEOUT_MS, AMAZON_LAMBDA_MAX_CONCURRENCY, AMAZON_LAMBDA_ALLOWED_ACCOUNTS.
Exit codes: 0 everything is right, 1 something is not, 2 wrong usage or settings.
`;

export const check: Command = { summary: "Tests the connection, and tells what to change where it fails", help, run };

async function run(argv: readonly string[], io: Io): Promise<ExitCode> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      settings: { type: "string" },
      "source-id": { type: "string" },
      "workspace-id": { type: "string" },
      send: { type: "boolean", default: false },
      principal: { type: "string" },
      "external-id": { type: "string", multiple: true },
      json: { type: "boolean", default: false },
    },
  });
  const settings = await readSettingsFile(values.settings);
  const coloured = io.stdout.isTTY === true && io.env["NO_COLOR"] === undefined;
  const options: CheckOptions = {
    send: values.send,
    ...(values["source-id"] !== undefined && { sourceId: values["source-id"] }),
    ...(values["workspace-id"] !== undefined && { workspaceId: values["workspace-id"] }),
    ...(values.principal !== undefined && { principalArn: values.principal }),
    ...(values["external-id"] && { externalIds: values["external-id"] }),
    ...(!values.json && { onStep: (step: CheckStep) => io.stdout.write(renderStep(step, coloured)) }),
  };
  const report = await checkConnection(settings, { ...options, operator: operatorPolicy(io) });
  io.stdout.write(values.json ? `${printableJson(report, 2)}\n` : renderVerdict(report, coloured));
  return exitCode(report);
}

function operatorPolicy({ env }: Io): OperatorPolicy {
  try {
    return operatorPolicyFromEnvironment(env);
  } catch (error) {
    if (error instanceof SettingsError) throw new UsageError(error.message);
    throw error;
  }
}

function exitCode({ ok, steps }: CheckReport): ExitCode {
  if (ok) return 0;
  return steps.some(({ step, ok: passed }) => step === "settings" && !passed) ? 2 : 1;
}

const TITLES: Readonly<Record<CheckStepName, string>> = {
  settings: "Settings",
  identity: "Base identity",
  role: "Role",
  trust: "Trust",
  session: "Session",
  function: "Function",
  send: "Sample event",
};

function renderStep({ step, subject, ok, found, diagnosis, note, result }: CheckStep, coloured: boolean): string {
  const { green, red, yellow, dim, bold } = pc.createColors(coloured);
  const title = [TITLES[step], ...(subject === undefined ? [] : [printable(subject)])].join(" ");
  const lines = [
    `${ok ? green("✓") : red("✗")} ${bold(title)}: ${printable(found)}`,
    ...(diagnosis ? [`  ${red(diagnosis.label)}. ${printable(diagnosis.advice)}`] : []),
    ...(note ? [`  ${yellow("Note:")} ${printable(note)}`] : []),
    ...printableLines(result?.logTail ?? "")
      .filter((line) => line.trim() !== "")
      .map((line) => dim(`  │ ${line}`)),
  ];
  return `${lines.join("\n")}\n`;
}

function renderVerdict({ ok, steps }: CheckReport, coloured: boolean): string {
  const { green, red } = pc.createColors(coloured);
  const failed = steps.filter((step) => !step.ok).length;
  return ok ? `${green("The connection works.")}\n` : `${red(`${failed} of ${steps.length} steps failed.`)}\n`;
}
