// What the worker has read of its topics.
const CONTROL_BATCH = 0x20;
const FROM_ANY_EPOCH = { currentLeaderEpoch: -1, lastFetchedEpoch: -1 };

/** A record on its way. Without a key and a user it keeps nobody's order. */
class Pending {
  tries = 0;
  alone = false;

  constructor(log, offset, timestamp, { key, value, headers }) {
    const named = Object.fromEntries(headers.map(([name, text]) => [String(name), text]));
    Object.assign(this, { log, offset, record: { key: key ?? undefined, value, timestamp, headers: named } });
    this.event = eventOf(value, timestamp);
    this.parkedAt = Number(named["parked-at"] ?? 0);
    this.due = this.parkedAt + 1000;
    this.key = key?.toString() ?? this.event?.userId ?? this.event?.anonymousId ?? this;
    this.settled = value === null; // a tombstone
  }

  /** As a record of another topic, with headers that say where it comes from and why. */
  movedTo(topic, partition, why) {
    const { topic: from, partition: number } = this.log;
    const source = { "source-topic": from, "source-partition": number, "source-offset": this.offset };
    return { ...this.record, topic, partition, headers: { ...source, ...this.record.headers, ...why } };
  }
}

/** The event, or what is none and is dead-lettered as such. */
function eventOf(value, timestamp) {
  try {
    const event = JSON.parse(value);
    return event?.constructor === Object ? { receivedAt: new Date(Number(timestamp)).toISOString(), ...event } : event;
  } catch {
    return "no JSON";
  }
}

/** One partition of a topic as far as it is read: what is not settled yet, in order. */
export class TopicLog {
  records = [];
  position = -1n;
  committed = -1n;
  end = -1n;

  constructor(topic, partition) {
    Object.assign(this, { topic, partition });
  }

  /** The offset to commit: everything before it is settled. */
  get settled() {
    while (this.records[0]?.settled) this.records.shift();
    return this.records[0]?.offset ?? this.position;
  }

  /**
   * Goes on where the group stands; with what this worker has read and settled itself, unless others went further meanwhile.
   *
   * @returns whether what the group had committed is gone from the topic
   */
  resume(committed, earliest, end) {
    const known = committed >= earliest && committed <= end;
    const start = known ? committed : earliest;
    if (start > this.position) Object.assign(this, { records: [], position: start });
    this.records = this.records.filter(({ offset }) => offset >= start);
    Object.assign(this, { committed: start, end });
    return committed >= 0n && !known;
  }

  read({ records: batches = [], highWatermark }) {
    for (const { attributes, firstOffset, firstTimestamp, lastOffsetDelta, records } of batches) {
      for (const { offsetDelta, timestampDelta, ...record } of attributes & CONTROL_BATCH ? [] : records) {
        const offset = firstOffset + BigInt(offsetDelta);
        if (offset >= this.position)
          this.records.push(new Pending(this, offset, firstTimestamp + timestampDelta, record));
      }
      this.position = firstOffset + BigInt(lastOffsetDelta) + 1n;
    }
    if (highWatermark > this.end) this.end = highWatermark;
  }
}

/** Reads the logs on, in one request per broker; waits a moment where there is nothing new. */
export async function readOn(reader, logs) {
  const { topics } = await reader.metadata({ topics: [...new Set(logs.map(({ topic }) => topic))] });
  const requests = new Map();
  for (const log of logs) {
    const { topic, partition, position: fetchOffset } = log;
    const { id: topicId, partitions } = topics.get(topic);
    const { leader } = partitions[partition];
    const asked = { ...FROM_ANY_EPOCH, partition, fetchOffset, partitionMaxBytes: 1_048_576 };
    requests.set(leader, [...(requests.get(leader) ?? []), { log, fetchOffset, topicId, partitions: [asked] }]);
  }
  const answers = [...requests].map(async ([node, asked]) => {
    const wanted = asked.map(({ topicId, partitions }) => ({ topicId, partitions }));
    const { responses } = await reader.fetch({ node, maxWaitTime: 200, topics: wanted });
    for (const { topicId, partitions } of responses) {
      for (const answer of partitions) {
        const isIt = (request) => request.topicId === topicId && request.log.partition === answer.partitionIndex;
        const { log, fetchOffset } = asked.find(isIt);
        if (log.position === fetchOffset) log.read(answer);
      }
    }
  });
  await Promise.all(answers);
}
