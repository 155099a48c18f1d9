// Delivers the events of a Kafka topic to AWS Lambda functions. What it promises and how to run it: docs/kafka.md.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { Consumer, ListOffsetTimestamps, Producer } from "@platformatic/kafka";
import { createDestination, scopeOf } from "amazon-lambda-destination";
import { readOn, TopicLog } from "./topic-log.mjs";

const { env } = process;
const TOPIC = env.KAFKA_TOPIC || "events";
const RETRY = `${TOPIC}.retry`; // as many partitions as TOPIC
const DEAD = `${TOPIC}.dead-letter`;
const GROUP = env.KAFKA_GROUP || "amazon-lambda-destination";
const SESSION_MS = Number(env.KAFKA_SESSION_TIMEOUT_MS || 15_000); // how long a killed worker's partitions lie still
const RETRY_FOR_MS = Number(env.RETRY_FOR_MS || 3 * 3600_000); // how long a parked event is tried, three times at least
const GRACE_MS = Number(env.GRACE_MS || 20_000); // what SIGTERM leaves to the calls under way
const EVENTS = Number(env.EVENTS_PER_CALL || 200); // of one partition in one deliverBatch
const READ_AHEAD = 2 * EVENTS; // with as many unsettled events, a topic is not read on
const kafka = {
  clientId: GROUP,
  groupId: GROUP,
  bootstrapBrokers: (env.KAFKA_BROKERS || "localhost:9092").split(","),
  requestTimeout: 60_000,
  retries: 30, // half a second each: a broker may restart without anybody leaving the group
  retryDelay: 500,
  ...(env.KAFKA_TLS === "true" && { tls: env.KAFKA_CA_FILE ? { ca: readFileSync(env.KAFKA_CA_FILE) } : {} }),
  ...(env.KAFKA_SASL_MECHANISM && {
    sasl: { mechanism: env.KAFKA_SASL_MECHANISM, username: env.KAFKA_USERNAME, password: env.KAFKA_PASSWORD },
  }),
};
const destination = createDestination(JSON.parse(readFileSync(env.SETTINGS || "settings.json", "utf8")));
const context = { sourceId: env.SOURCE_ID || TOPIC };
const bytes = (data) => (data === undefined || Buffer.isBuffer(data) ? data : Buffer.from(String(data).slice(0, 1000)));
const serializers = { key: bytes, value: bytes, headerKey: bytes, headerValue: bytes };
const producer = new Producer({ ...kafka, serializers, idempotent: true });
const log = (message, facts) => console.log(JSON.stringify({ time: new Date().toISOString(), message, ...facts }));
const backOff = (failures) => Math.min(60_000, 500 * 2 ** failures) * (0.75 + Math.random() / 2);
const reasons = ({ message, errors = [], cause }) => [
  message,
  ...[...errors, ...(cause ? [cause] : [])].flatMap(reasons),
];
const counts = new Map();
const partitions = new Map(); // those that this worker owns, by number
let stopping = false;

function count(outcome, code = "") {
  const labels = `outcome="${outcome}",code="${code}"`;
  counts.set(labels, (counts.get(labels) ?? 0) + 1);
}

/** TOPIC's partition, and RETRY's of the same number: whoever is in it is parked. */
class Partition {
  ready = false;
  failures = 0;
  pausedUntil = 0;
  calls = new AbortController();

  constructor(number) {
    Object.assign(this, { number, main: new TopicLog(TOPIC, number), retry: new TopicLog(RETRY, number) });
  }

  work(commit) {
    this.working ??= this.turns(commit).finally(() => delete this.working);
    return this.working;
  }

  async turns(commit) {
    while (this.ready && !stopping && Date.now() >= this.pausedUntil) {
      const { wave, followers } = this.next(Date.now());
      const moves = followers.map((pending) => [
        pending,
        RETRY,
        { "error-code": "follows", "message-id": pending.event?.messageId },
      ]);
      if (wave.length > 0) moves.push(...(await this.deliver(wave)));
      // What another worker owns by now is its to settle.
      if (partitions.get(this.number) !== this) return;
      await this.move(moves);
      await commit();
      if (wave.length + moves.length === 0) return;
    }
  }

  /** The first event of each key; those whose key is parked follow it. After a pause only one, to see. */
  next(now) {
    const [wave, followers, parked, taken] = [[], [], new Set(), new Set()];
    for (const pending of this.retry.records) {
      if (pending.settled || parked.has(pending.key)) continue;
      parked.add(pending.key);
      if (now >= pending.due) wave.push(pending);
    }
    // Until all that is parked is read, nobody knows who is. And with so much of it, single events are not the trouble.
    const open = this.retry.position >= this.retry.end && this.retry.records.length < READ_AHEAD;
    for (const pending of open ? this.main.records : []) {
      if (pending.settled || taken.has(pending.key)) continue;
      if (parked.has(pending.key)) followers.push(pending);
      else wave.push(pending) && taken.add(pending.key);
    }
    return { wave: wave.slice(0, this.failures > 0 ? 1 : EVENTS), followers };
  }

  /** @returns what goes to another topic */
  async deliver(wave) {
    const { signal } = this.calls;
    const events = wave.map(({ event }) => event);
    const results = await destination.deliverBatch(events, context, { signal, alone: (i) => wave[i].alone });
    const moves = [];
    let pause;
    for (const [i, { outcome, error, messageId, retryAfterMs, alone }] of results.entries()) {
      const pending = wave[i];
      const why = { "error-code": error?.code, "error-message": error?.message, "message-id": messageId };
      const late = Date.now() - pending.parkedAt > RETRY_FOR_MS;
      count(outcome, error?.code);
      if (outcome === "delivered" || outcome === "skipped") pending.settled = true;
      else if (signal.aborted) continue;
      else if (outcome === "rejected") moves.push([pending, DEAD, why]);
      else if (scopeOf(error.code) !== "event") pause ??= { code: error.code, ms: retryAfterMs };
      else if (alone && !pending.alone) pending.alone = true;
      else if (pending.log === this.main) moves.push([pending, RETRY, why]);
      else if (++pending.tries >= 3 && late) moves.push([pending, DEAD, why]);
      else pending.due = Date.now() + (retryAfterMs ?? backOff(pending.tries));
    }
    this.failures = pause ? this.failures + 1 : 0;
    const pauseMs = pause ? Math.ceil(pause.ms ?? backOff(this.failures)) : 0;
    this.pausedUntil = Date.now() + pauseMs;
    if (pause) log("paused", { partition: this.number, code: pause.code, ms: pauseMs });
    return moves;
  }

  async move(moves) {
    if (moves.length === 0) return;
    const messages = moves.map(([pending, topic, why]) =>
      topic === RETRY
        ? pending.movedTo(RETRY, this.number, { "parked-at": Date.now(), ...why })
        : pending.movedTo(topic, undefined, why),
    );
    const { offsets } = await producer.send({ messages, acks: -1 });
    const parked = BigInt(moves.filter(([, topic]) => topic === RETRY).length);
    for (const { topic, offset } of offsets) if (topic === RETRY) this.retry.end = offset + parked;
    for (const [pending, topic, why] of moves) {
      pending.settled = true;
      count(topic === RETRY ? "parked" : "dead-lettered");
      log(topic === RETRY ? "parked" : "dead-lettered", { partition: this.number, ...why });
    }
  }
}

/** Takes over the partitions that the group gave to this worker, each where it stands. */
async function assign(member, reader, owned) {
  log("assigned", { partitions: owned });
  for (const [number, { calls }] of partitions) if (!owned.includes(number)) partitions.delete(number) && calls.abort();
  if (owned.length === 0) return;
  const topics = [TOPIC, RETRY];
  const committed = await member.listCommittedOffsets({
    topics: topics.map((topic) => ({ topic, partitions: owned })),
  });
  const earliest = await reader.listOffsets({ topics, timestamp: ListOffsetTimestamps.EARLIEST });
  const end = await reader.listOffsets({ topics, timestamp: ListOffsetTimestamps.LATEST });
  for (const number of owned) {
    const partition = partitions.get(number) ?? new Partition(number);
    for (const each of [partition.main, partition.retry]) {
      const gone = each.resume(...[committed, earliest, end].map((of) => of.get(each.topic)?.[number] ?? -1n));
      if (gone) log("events were deleted before they were delivered", { topic: each.topic, partition: number });
    }
    partitions.set(number, Object.assign(partition, { ready: true }));
  }
}

/** As a member of the group, until SIGTERM, or until something breaks that only a new start mends. */
async function run() {
  const heartbeat = { sessionTimeout: SESSION_MS, rebalanceTimeout: 2 * SESSION_MS, heartbeatInterval: SESSION_MS / 5 };
  const member = new Consumer({ ...kafka, ...heartbeat });
  const reader = new Consumer(kafka); // on connections of its own: a fetch that waits holds up no heartbeat
  let broken;
  let committing;
  const fail = (error) => {
    broken ??= error;
  };
  const logs = () => [...partitions.values()].flatMap(({ ready, main, retry }) => (ready ? [main, retry] : []));
  const hold = () => {
    for (const partition of partitions.values()) partition.ready = false;
  };
  // One at a time, and none amid a rebalance: the client answers a refused commit by joining anew, which starts another.
  const commitSettled = async () => {
    const due = logs().filter((each) => each.settled > each.committed);
    const offsets = due.map(({ topic, partition, settled: offset }) => ({ topic, partition, offset, leaderEpoch: -1 }));
    if (offsets.length > 0) await member.commit({ offsets });
    for (const [i, { offset }] of offsets.entries()) due[i].committed = offset;
  };
  const commit = () => {
    committing ??= commitSettled().finally(() => {
      committing = undefined;
    });
    return committing;
  };
  member.on("error", fail);
  member.on("consumer:group:rebalance", hold);
  member.on("consumer:group:join", ({ assignments = [] }) =>
    assign(member, reader, assignments[0]?.partitions ?? []).catch(fail),
  );
  member.topics.track(TOPIC);
  try {
    await member.joinGroup({});
    while (!stopping && !broken) {
      const wanted = logs().filter(({ records }) => records.length < READ_AHEAD);
      await (wanted.length > 0 ? readOn(reader, wanted) : sleep(50));
      for (const partition of partitions.values()) partition.work(commit).catch(fail);
      const heard = Number(member.lastHeartbeat ?? Date.now());
      if (Date.now() - heard > 3 * SESSION_MS) fail(new Error("The group has not heard of this worker for too long."));
    }
    if (broken) throw broken;
  } finally {
    await Promise.allSettled([committing, ...[...partitions.values()].map(({ working }) => working)]);
    await commitSettled().catch(fail);
    hold();
    await Promise.allSettled([member.close(true), reader.close(true)]);
  }
}

function metrics() {
  const { user, system } = process.cpuUsage();
  const lines = [`process_cpu_seconds_total ${(user + system) / 1e6}`];
  for (const [labels, times] of counts) lines.push(`kafka_lambda_events_total{${labels}} ${times}`);
  for (const { number, main, retry, pausedUntil } of partitions.values()) {
    for (const { topic, end, settled } of [main, retry])
      lines.push(`kafka_lambda_lag{topic="${topic}",partition="${number}"} ${end - settled}`);
    lines.push(`kafka_lambda_paused{partition="${number}"} ${Number(pausedUntil > Date.now())}`);
  }
  return `${lines.join("\n")}\n`;
}

const server = createServer((_request, response) => response.end(metrics()));
if (env.METRICS_PORT) server.listen(Number(env.METRICS_PORT), env.METRICS_HOST);

function stop() {
  stopping = true;
  setTimeout(() => {
    for (const { calls } of partitions.values()) calls.abort();
  }, GRACE_MS).unref();
}
process.once("SIGTERM", stop).once("SIGINT", stop);
while (!stopping) {
  await run().catch((error) => {
    log("starting anew", { error: [...new Set(reasons(error))].join(" ") });
    return stopping || sleep(backOff(1));
  });
}
await producer.close();
server.close();
log("stopped");
