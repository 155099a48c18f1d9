// @ts-nocheck
import pc from "picocolors";
import type { DeliveryOutcome } from "../delivery/delivery-result";
import type { LocalAccount } from "../local/local-account";
import type { Try } from "../local/local-host";
import { parseFunctionReference } from "../names/function-reference";
import type { Io } from "./command";
import { printable, printableJson, printableLines } from "./printable";
import { paintOutcome } from "./summary";

/** What `start` tells its user. */
export interface StartOutput {
  introduce(account: LocalAccount, routerUrl: string, writeKeys: readonly string[]): void;
  /** How to send events of one's own. */
  invite(account: LocalAccount, routerUrl: string, writeKeys: readonly string[]): void;
  tried(attempt: Try): void;
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
    summarise: (summary) => void stdout.write(`${JSON.stringify({ summary })}\n`),
  };
}

const MARKS: Readonly<Record<DeliveryOutcome, string>> = { delivered: "✓", skipped: "–", retry: "↻", rejected: "✗" };

/** A line a person can read for each try, the function's log under it. */
export function readableOutput({ stdout }: Io): StartOutput {
  const coloured = stdout.isTTY === true;
  const { bold, cyan, dim } = pc.createColors(coloured);
  const say = (text = "") => void stdout.write(`${text}\n`);

  return {
    introduce({ aws, roleArn, functions }, routerUrl, writeKeys) {
      say(`${bold("Embedded AWS")}  ${aws.url}  account ${aws.account}, ${aws.region}`);
      say(`${bold("Role")}          ${roleArn}  external IDs ${writeKeys.join(", ")}`);
      say(`${bold("Functions")}     ${[...functions.keys()].join(", ")}`);
      say(`${bold("Router")}        ${cyan(routerUrl)}  write keys ${writeKeys.join(", ")}`);
      say();
    },
    invite({ environment, functions }, routerUrl, [writeKey]) {
      say();
      say("Send an event of your own:");
      say();
      say(
        `  curl -u ${writeKey}: -H 'content-type: application/json' -d '{"userId":"u-1","event":"Signed Up","properties":{"plan":"pro"}}' ${routerUrl}/v1/track`,
      );
      say();
      say(
        `or point a Segment library at ${routerUrl} with the write key ${writeKey}, or invoke a function with the AWS CLI:`,
      );
      say();
      const [name] = functions.keys();
      const variables = ["AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
      say(
        `  ${variables.map((variable) => `${variable}=${environment[variable]}`).join(" ")} aws lambda invoke --function-name ${name} --cli-binary-format raw-in-base64-out --payload '{"type":"track","messageId":"m-1"}' /dev/stdout`,
      );
      say();
      say("Ctrl-C ends.");
      say();
    },
    tried({ event, source, retries, result, next }) {
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
      for (const line of functionOutput(logTail)) say(dim(`            │ ${line}`));
      if (outcome === "skipped")
        say(dim(`            no function is set for ${callType} calls of the source ${source.id}`));
      const [what = "", ...more] = printableLines(error?.message ?? "");
      if (error) say(`            ${bold(error.label)}: ${what}`);
      for (const line of more) say(`            ${line}`);
      const thrownAt = error?.functionError?.trace?.find(
        (line) => line.includes("file://") && !line.includes("worker.cjs"),
      );
      if (thrownAt) say(dim(`            ${printable(thrownAt)}`));
      if (next === "retry") say(dim("            the router tries again"));
      if (gaveUp) say(`            ${printable(error?.hint ?? "")}`);
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

/** Name and, where it has one, version or alias. */
function functionShown(configured: string): string {
  const { name, qualifier } = parseFunctionReference(configured);
  return qualifier ? `${name}:${qualifier}` : name;
}

/** What the function itself wrote, without Lambda's own lines and without the error, which stands below. */
function functionOutput(logTail = ""): string[] {
  return logTail
    .split("\n")
    .filter((line) => line !== "" && !/^(?:START|END|REPORT|XRAY) |\tInvoke Error/.test(line))
    .flatMap((line) => printableLines(line.replace(/^\S+\t\S+\t(?=[A-Z]+\t)/, "").replace("\t", " ")));
}
