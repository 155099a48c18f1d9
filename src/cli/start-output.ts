import pc from "picocolors";
import type { DeliveryOutcome } from "../delivery/delivery-result";
import { CALL_TYPES } from "../events/segment-event";
import type { LocalAccount } from "../local/local-account";
import type { Source, Try } from "../local/local-host";
import type { UntoldRun } from "../local/run-watch";
import { thrownAt } from "../local/thrown-at";
import { parseFunctionReference } from "../names/function-reference";
import type { Io } from "./command";
import { type EnvFile, shellQuoted } from "./env-file";
import { printable, printableJson, printableLines } from "./printable";
import { paintOutcome } from "./summary";

/** What `start` tells its user. */
export interface StartOutput {
  introduce(account: LocalAccount, routerUrl: string, sources: readonly Source[], folder: string): void;
  /** How to send events of one's own. */
  invite(account: LocalAccount, routerUrl: string, writeKeys: readonly string[], envFile: EnvFile): void;
  /** @param log the whole log of the function; its end is in the result where the settings ask for that */
  tried(attempt: Try, log?: string): void;
  /** A function has run, and no delivery tells of it. */
  ran(run: UntoldRun): void;
  /**
   * @param counts of tries
   * @param givenUp events whose last retry failed
   */
  summarise(counts: Readonly<Record<DeliveryOutcome, number>>, givenUp: number): void;
}

/** One delivery result per line, and a summary as the last; where the router is goes to standard error. */
export function jsonOutput({ stdout, stderr }: Io): StartOutput {
  return {
    introduce: (_account, routerUrl) => void stderr.write(`Router: ${routerUrl}\n`),
    invite() {},
    tried: ({ result }) => void stdout.write(`${printableJson(result)}\n`),
    ran() {},
    summarise: (summary) => void stdout.write(`${JSON.stringify({ summary })}\n`),
  };
}

const MARKS: Readonly<Record<DeliveryOutcome, string>> = { delivered: "✓", skipped: "–", retry: "↻", rejected: "✗" };

/** A line a person can read for each try, the function's log under it. */
export function readableOutput({ stdout }: Io): StartOutput {
  const coloured = stdout.isTTY === true;
  const { bold, cyan, dim } = pc.createColors(coloured);
  const say = (text = "") => void stdout.write(`${text}\n`);
  let url = "";

  function sayWhere(trace: readonly string[] = []): void {
    for (const line of thrownAt(trace)) say(dim(`            ${printableLines(line).join(" ").trimEnd()}`));
  }

  function replayLine({ event, source }: Try): string {
    const { writeKey: _key, requestIp: _ip, receivedAt: _time, ...own } = Object(event) as Record<string, unknown>;
    return curl(url, source.id, own);
  }

  return {
    introduce({ aws, functions }, routerUrl, sources, folder) {
      url = routerUrl;
      const writeKeys = sources.map(({ id }) => id);
      const roles = new Set(
        sources.map(({ settings }) => settings["roleAddress"]).filter((role) => role !== undefined),
      );
      const externalIds = new Set(sources.map(({ id, settings }) => String(settings["externalId"] ?? id)));
      say(`${bold("Embedded AWS")}  ${aws.url}  account ${aws.account}, ${aws.region}`);
      for (const role of roles)
        say(
          `${bold("Role")}          ${printable(String(role))}  external IDs ${printable([...externalIds].join(", "))}`,
        );
      say(`${bold("Functions")}     ${[...functions.keys()].join(", ")}  in ${printable(folder)}`);
      say(`${bold("Router")}        ${cyan(routerUrl)}  write keys ${writeKeys.join(", ")}`);
      say(`${bold("Page")}          ${cyan(`${routerUrl}/`)}  every delivery in a browser`);
      say();
    },
    invite({ environment, functions }, routerUrl, [writeKey = ""], { path, settingsPath }) {
      const [name = ""] = functions.keys();
      const payload = { type: CALL_TYPES.find((type) => type === name) ?? "track", messageId: "m-1", userId: "u-1" };
      const variables = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"];
      say();
      say(
        "Edit a function or add one, and save it: the next event uses it. The page's Functions view shows how. Send an event:",
      );
      say();
      say(
        `  ${curl(routerUrl, writeKey, { type: "track", userId: "u-1", event: "Signed Up", properties: { plan: "pro" } })}`,
      );
      say();
      say(
        `or point a Segment library at ${routerUrl} with the write key ${writeKey}, or invoke a function with the AWS CLI:`,
      );
      say();
      say(
        `  echo ${shellQuoted(JSON.stringify(payload))} | ${variables.map((variable) => `${variable}=${environment[variable]}`).join(" ")} aws --endpoint-url ${environment["AWS_ENDPOINT_URL"]} lambda invoke --function-name ${name} --payload fileb:///dev/stdin /dev/stdout`,
      );
      say();
      say("In another terminal, after the first of these lines, everything that talks to AWS talks to this one:");
      say();
      say(`  source ${shellQuoted(path)}`);
      say(`  ${command} check --settings ${shellQuoted(settingsPath)} --source-id ${shellQuoted(writeKey)} --send`);
      say();
      say("Ctrl-C ends.");
      say();
    },
    tried(attempt, log) {
      const { event, source, retries, result, next, keptAway } = attempt;
      const { outcome, callType = "", function: arn, durationMs, error, logTail, messageId } = result;
      const { event: eventName, name: pageName } = Object(event) as { event?: unknown; name?: unknown };
      const name = printable([eventName, pageName].find((each): each is string => typeof each === "string") ?? "");
      const gaveUp = next === "dead letter";
      const mark = paintOutcome(
        gaveUp ? "rejected" : outcome,
        gaveUp ? "✗ given up " : `${MARKS[outcome]} ${outcome.padEnd(9)}`,
        coloured,
      );
      const target = arn ? `→ ${functionShown(arn)}  ${durationMs} ms` : "";
      say(
        `${mark} ${callType.padEnd(8)} ${name.padEnd(16)} ${target}${retries ? `  retry ${retries}` : ""}  ${dim(printable(messageId))}`,
      );
      for (const line of functionOutput(log ?? logTail)) say(dim(`            │ ${line}`));
      if (keptAway) say(dim("            the event's integrations keep it from this destination"));
      else if (outcome === "skipped")
        say(dim(`            no function is set for ${callType} calls of the source ${source.id}`));
      const [what = "", ...more] = printableLines(error?.message ?? "");
      if (error) say(`            ${bold(error.label)}: ${what}`);
      for (const line of more) say(`            ${line}`);
      sayWhere(error?.functionError?.trace);
      if (next === "retry") say(dim("            the router tries again"));
      if (!gaveUp) return;
      say(`            ${printable(error?.hint ?? "")}`);
      say(
        "            No retries are left: the event is lost here. A real router would keep it (Jitsu in its dead letters, RudderStack",
      );
      say("            among its aborted jobs). To replay it once the function is fixed:");
      say(`            ${replayLine(attempt)}`);
    },
    ran({ record, log, why }) {
      const { function: name, version, attempt, error, durationMs, principalArn } = record;
      const mark = paintOutcome(error ? "retry" : "delivered", error ? "✗ ran      " : "✓ ran      ", coloured);
      say(
        `${mark} ${name}${version === "$LATEST" ? "" : `:${version}`}  ${Math.round(durationMs)} ms  ${dim(record.requestId)}`,
      );
      for (const line of functionOutput(log)) say(dim(`            │ ${line}`));
      if (error)
        say(
          `            ${bold(printable(error.errorType))}: ${printable(error.errorMessage.replace(/^RequestId: \S+ Error: /, ""))}`,
        );
      sayWhere(error?.trace ?? error?.stackTrace);
      const what: Readonly<Record<UntoldRun["why"], string>> = {
        asynchronous: asynchronousEnd(attempt, error !== undefined),
        "router gave up waiting": "the router had already given up on this delivery: see Timeout (ms)",
        "another client": `invoked by ${printable(principalArn)}`,
      };
      say(dim(`            ${what[why]}`));
    },
    summarise(counts, givenUp) {
      const parts = (Object.keys(MARKS) as DeliveryOutcome[]).map((outcome) =>
        paintOutcome(outcome, `${counts[outcome]} ${outcome}`, coloured),
      );
      say();
      say(`${parts.join(", ")}${givenUp > 0 ? `, ${givenUp} given up` : ""}`);
    },
  };
}

/** What runs this package's command in another terminal, whatever is on its PATH. */
const command = `node ${shellQuoted(process.argv[1] ?? "")}`;

/** How often Lambda runs an asynchronous invocation at most. */
const ASYNCHRONOUS_ATTEMPTS = 3;

function asynchronousEnd(attempt: number, failed: boolean): string {
  const run = `asynchronous invocation, run ${attempt} of at most ${ASYNCHRONOUS_ATTEMPTS}`;
  if (!failed) return run;
  if (attempt < ASYNCHRONOUS_ATTEMPTS) return `${run}; Lambda runs it again, at AWS in ${attempt} min`;
  return `${run}; Lambda gives it up: it goes to the function's on-failure destination or dead-letter queue, else it is lost`;
}

/** A line that sends an event to the local router. */
function curl(routerUrl: string, writeKey: string, event: Readonly<Record<string, unknown>>): string {
  const { type, ...body } = event;
  return `curl -u ${shellQuoted(`${writeKey}:`)} -H 'content-type: application/json' -d ${shellQuoted(printableJson(body))} ${routerUrl}/v1/${String(type)}`;
}

/** Name and, where it has one, version or alias. */
function functionShown(configured: string): string {
  const { name, qualifier } = parseFunctionReference(configured);
  return qualifier ? `${name}:${qualifier}` : name;
}

/** What Lambda adds to a function's log: its own lines, and the error, which stands below. */
const LAMBDAS_OWN =
  /^(?:START|END|REPORT|XRAY) |\t(?:Invoke Error|Init Error|Uncaught Exception|Unhandled Promise Rejection) |^\[ERROR\] .*\rTraceback |^RequestId: \S+ Error: |^(?:Runtime|Sandbox|Function)\.\w+$|^\S+ \S+ Task timed out after /;

/** What the function itself wrote. */
function functionOutput(logTail = ""): string[] {
  return logTail
    .split("\n")
    .filter((line) => line !== "" && !LAMBDAS_OWN.test(line))
    .flatMap((line) => printableLines(line.replace(/^\S+\t\S+\t(?=[A-Z]+\t)/, "").replace("\t", " ")));
}
