/**
 * The receiver in AWS Lambda: `handler` behind a function URL or API Gateway, `drain` behind the queue.
 *
 * @example
 * // index.mjs of the function, with connections.json beside it
 * export { drain, handler } from "amazon-lambda-destination/webhook";
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Hono } from "hono";
import { handle } from "hono/aws-lambda";
import { createDestination } from "../../index";
import { operatorPolicyFromEnvironment } from "../../settings/operator-policy";
import { acceptingInto } from "./accepting";
import { connectionsFromFile, type LoadedConnections } from "./connections-file";
import { drain as deliver } from "./draining";
import { EventQueue } from "./event-queue";
import { logAnswered } from "./log-answered";
import { givingUpInto } from "./queue-drain";
import { createReceiver } from "./receiver";
import { processSecrets } from "./secret-values";

/** As much of an SQS event as the draining needs. */
export interface SqsEvent {
  readonly Records: readonly {
    readonly messageId: string;
    readonly receiptHandle: string;
    readonly body: string;
    readonly attributes: { readonly ApproximateReceiveCount: string; readonly MessageGroupId?: string };
  }[];
}

/** Which messages are to be received again. */
export interface SqsBatchResponse {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

/** What both handlers share for as long as the execution environment lives. */
interface Setup {
  readonly connections: LoadedConnections;
  readonly queue: EventQueue | undefined;
  readonly deadLetters: EventQueue | undefined;
  readonly http: (event: never, context: never) => Promise<unknown>;
}

const { env } = process;
/** Lines of JSON, which CloudWatch takes apart by itself. */
const say = (level: string) => (facts: object, message: string) =>
  console.log(JSON.stringify({ level, time: new Date().toISOString(), ...facts, msg: message }));
const log = { debug() {}, warn: say("warn"), error: say("error"), isLevelEnabled: () => false };
const failed = (error: unknown) => log.error({ error: String((error as Error)?.stack ?? error) }, "failed");
let setup: Setup | undefined;

/** @throws Error that says what is wrong with the connections or the environment */
function ready(): Setup {
  if (setup) return setup;
  const operator = operatorPolicyFromEnvironment(env);
  const queue = queueAt("AMAZON_LAMBDA_QUEUE_URL");
  const connections = connectionsFromFile(connectionsJson(), {
    operator,
    secrets: processSecrets(env),
    behind: (settings) => createDestination(settings, { operator }),
    ...(queue && { accepting: (connection: string) => acceptingInto(queue, connection) }),
    keepIn: () => () =>
      Promise.reject(new Error("A function has no disk: let a dead-letter queue keep what is rejected.")),
  });
  const receiver = createReceiver({
    connections: () => connections,
    observer: { answered: (answered) => logAnswered(log, answered), failed },
  });
  const http = handle(receiver as unknown as Hono) as Setup["http"];
  setup = { connections, queue, deadLetters: queueAt("AMAZON_LAMBDA_DEAD_LETTER_QUEUE_URL"), http };
  return setup;
}

/** Answers requests of a function URL, API Gateway (REST or HTTP) or an Application Load Balancer. */
export async function handler(event: unknown, context: unknown): Promise<unknown> {
  return ready().http(event as never, context as never);
}

/**
 * Delivers messages of the queue: for an event source mapping with `ReportBatchItemFailures`. A message that is to be tried again is shown after
 * `retryAfterMs`, or after 5 s, 10 s, … 15 minutes.
 */
export async function drain({ Records }: SqsEvent): Promise<SqsBatchResponse> {
  const { connections, queue, deadLetters } = ready();
  const messages = Records.map(({ messageId, receiptHandle, body, attributes }) => ({
    id: messageId,
    receipt: receiptHandle,
    body,
    groupId: attributes.MessageGroupId ?? messageId,
    receives: Number(attributes.ApproximateReceiveCount),
  }));
  const { again } = await deliver(messages, {
    drained(name) {
      const [connection, destination] = [connections.named(name), connections.destinations.get(name)];
      return connection && destination && { connection, destination };
    },
    ...(deadLetters && { giveUp: givingUpInto(deadLetters) }),
    ended(connection, outcome) {
      if (outcome.outcome === "retry" || outcome.outcome === "rejected")
        log.warn({ connection: connection.name, outcome: outcome.outcome, code: outcome.error?.code }, "not delivered");
    },
    failed,
  });
  await queue?.showAgain(again);
  return { batchItemFailures: again.map(([{ id }]) => ({ itemIdentifier: id })) };
}

function connectionsJson(): unknown {
  const path = join(env["LAMBDA_TASK_ROOT"] ?? ".", env["AMAZON_LAMBDA_CONNECTIONS_FILE"] ?? "connections.json");
  const inline = env["AMAZON_LAMBDA_CONNECTIONS"];
  try {
    return JSON.parse(inline ?? readFileSync(path, "utf8"));
  } catch (error) {
    const why =
      error instanceof SyntaxError ? "is no JSON" : `cannot be read (${(error as NodeJS.ErrnoException).code})`;
    throw new Error(
      `${inline === undefined ? path : "AMAZON_LAMBDA_CONNECTIONS"} ${why}: it says who may send, and where to.`,
    );
  }
}

function queueAt(variable: string): EventQueue | undefined {
  const url = env[variable];
  return url ? new EventQueue(url) : undefined;
}
