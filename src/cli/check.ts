import { parseArgs } from "node:util";
import pc from "picocolors";
import type { CheckReport, CheckStep, CheckStepName } from "../iam/check-report";
import { type CheckOptions, checkConnection, createDestination } from "../index";
import type { OperatorPolicy } from "../settings/operator-policy";
import { type Command, type ExitCode, type Io, UsageError } from "./command";
import { type ConnectionsUse, readConnectionsFile } from "./connections-file";
import { operatorPolicy } from "./operator-policy";
import { printable, printableJson, printableLines } from "./printable";
import { readSettingsFile } from "./settings-file";

const help = `Usage: amazon-lambda-destination check --settings <file> [options]
       amazon-lambda-destination check --connections <file> [options]

Tests the connection the way it will be used, as the AWS identity that runs this command: run it where the router runs.
Nothing is changed at AWS, and no function runs unless --send is given.

  --settings <file>       JSON file with the destination's settings
  --connections <file>    JSON file with the connections of \`serve\`: tests each of them
  --source-id <id>        the source's ID: the external ID where the settings have none, or where the operator pins it to it
  --workspace-id <id>     the workspace's ID, where the operator pins the external ID to it
  --send                  sends a sample event per configured call type, and shows result, duration and log
  --principal <ARN>       whom the role's trust policy names: tells whether that is who the router runs as
  --external-id <id>      an external ID that may stand in the trust policy, tried where the right one is refused; may be repeated
  --json                  the whole report as JSON
  --help

AWS is found the way the AWS SDK finds it: AWS_PROFILE, AWS_ENDPOINT_URL and so on.
The operator's variables apply as they do in the router: AMAZON_LAMBDA_EXTERNAL_ID, AMAZON_LAMBDA_ALLOW_AMBIENT_CREDENTIALS,
AMAZON_LAMBDA_MAX_TIMEOUT_MS, AMAZON_LAMBDA_MAX_CONCURRENCY, AMAZON_LAMBDA_ALLOWED_ACCOUNTS.
Exit codes: 0 everything is right, 1 something is not, 2 wrong usage or settings.
`;

export const check: Command = { summary: "Tests the connection, and tells what to change where it fails", help, run };

async function run(argv: readonly string[], io: Io): Promise<ExitCode> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      settings: { type: "string" },
      connections: { type: "string" },
      "source-id": { type: "string" },
      "workspace-id": { type: "string" },
      send: { type: "boolean", default: false },
      principal: { type: "string" },
      "external-id": { type: "string", multiple: true },
      json: { type: "boolean", default: false },
    },
  });
  const coloured = io.stdout.isTTY === true && io.env["NO_COLOR"] === undefined;
  const options: CheckOptions & { operator: OperatorPolicy } = {
    operator: operatorPolicy(io),
    send: values.send,
    ...(values["source-id"] !== undefined && { sourceId: values["source-id"] }),
    ...(values["workspace-id"] !== undefined && { workspaceId: values["workspace-id"] }),
    ...(values.principal !== undefined && { principalArn: values.principal }),
    ...(values["external-id"] && { externalIds: values["external-id"] }),
    ...(!values.json && { onStep: (step: CheckStep) => io.stdout.write(renderStep(step, coloured)) }),
  };
  if (values.connections === undefined) {
    const report = await checkConnection(await readSettingsFile(values.settings), options);
    io.stdout.write(values.json ? `${printableJson(report, 2)}\n` : renderVerdict(report, coloured));
    return exitCode(report);
  }
  if (values.settings !== undefined) throw new UsageError("Give --settings or --connections, not both.");
  const { all, settings } = await readConnectionsFile(values.connections, io, NOT_USED);
  const reports: (CheckReport & { readonly connection: string })[] = [];
  for (const { name, sourceId, workspaceId } of all) {
    if (!values.json) io.stdout.write(`${pc.createColors(coloured).bold(printable(name))}\n`);
    const origin = { sourceId, ...(workspaceId !== undefined && { workspaceId }) };
    const report = await checkConnection(settings.get(name), { ...options, ...origin });
    reports.push({ connection: name, ...report });
    if (!values.json) io.stdout.write(`${renderVerdict(report, coloured)}\n`);
  }
  if (values.json) io.stdout.write(`${printableJson(reports, 2)}\n`);
  return Math.max(...reports.map(exitCode)) as ExitCode;
}

/** Nothing is received here. */
const NOT_USED: ConnectionsUse = {
  insecure: true,
  behind: (settings) => createDestination(settings),
  accepting: () => createDestination({}),
  keepIn: () => async () => {},
};

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
