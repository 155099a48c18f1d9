/**
 * Defects that the suite has to find when they are put back: `npm run test:chaos -- --defects`. Each is one edit of the source while it is bundled;
 * the files themselves stay as they are.
 *
 * @type {readonly {
 *   readonly kind: "batch" | "clock" | "network" | "gate" | "once";
 *   readonly name: string;
 *   readonly face: string;
 *   readonly file: string;
 *   readonly from: string;
 *   readonly to: string;
 * }[]}
 */
export const DEFECTS = [
  {
    kind: "batch",
    name: "an event at fault in a batch is not looked for",
    face: "batches",
    file: "src/delivery/isolation.ts",
    from: "  if (!failure) return results;\n",
    to: "  return results;\n",
  },
  {
    kind: "batch",
    name: "a function's batchItemFailures are not read",
    face: "batches",
    file: "src/delivery/function-answer.ts",
    from: 'if (payload === "" || payload === "null") return NONE;',
    to: "return NONE;",
  },
  {
    kind: "batch",
    name: "batchItemFailures fail the next event in place of their own",
    face: "batches",
    file: "src/delivery/function-answer.ts",
    from: "(reported.has(id) ? [position] : [])",
    to: "(reported.has(id) ? [(position + 1) % messageIds.length] : [])",
  },
  {
    kind: "batch",
    name: "results of a batch come in another order than its events",
    face: "batches",
    file: "src/destination/lambda-destination.ts",
    from: "settle(position, sent[i] as DeliveryResult);",
    to: "settle(position, sent.at(-1 - i) as DeliveryResult);",
  },
  {
    kind: "batch",
    name: "collected events get each other's results",
    face: "micro-batches",
    file: "src/delivery/collector.ts",
    from: "resolve(results[i] as Result)",
    to: "resolve(results.at(-1 - i) as Result)",
  },
  {
    kind: "batch",
    name: "the half of a batch that is not sent any more counts as the other half does",
    face: "batches",
    file: "src/delivery/isolation.ts",
    from: "return [...first.results, ...(await this.split(second.deliveries, before.slice(middle)))];",
    to: "return [...first.results, ...second.results.map(() => first.results[0] as DeliveryResult)];",
  },
  {
    kind: "batch",
    name: "RudderStack's jobs get the results of their neighbours",
    face: "rudderstack",
    file: "src/hosts/rudderstack/delivery.ts",
    from: "metadata: result.alone ? { ...jobs[i], dontBatch: true } : (jobs[i] ?? {}),",
    to: "metadata: result.alone ? { ...jobs.at(-1 - i), dontBatch: true } : (jobs.at(-1 - i) ?? {}),",
  },
  {
    kind: "clock",
    name: "deadlines run on the wall clock",
    face: "own-router",
    file: "src/aws/node-clock.ts",
    from: "monotonic: () => performance.now()",
    to: "monotonic: () => Date.now()",
  },
  {
    kind: "clock",
    name: "AWS's time is learned once and for all",
    face: "own-router",
    file: "src/aws/clock.ts",
    from: "if (Number.isNaN(theirs) ||",
    to: "if (this.#offsetMs !== 0 || Number.isNaN(theirs) ||",
  },
  {
    kind: "clock",
    name: "a session that AWS calls expired is used again",
    face: "jitsu",
    file: "src/aws/sessions.ts",
    from: "if (this.#granted.get(key)?.credentials === refused) this.#granted.delete(key);",
    to: "void refused;",
  },
  {
    kind: "clock",
    name: "Timeout (ms) is not watched while an answer is waited for",
    face: "own-router",
    file: "src/aws/undici.ts",
    from: 'limit.watch(() => this.#fail(new TransportError("timeout", "Timeout", "")));',
    to: "",
  },
  {
    kind: "clock",
    name: "Timeout (ms) is over after half of it",
    face: "jitsu",
    file: "src/aws/deadline.ts",
    from: "this.#timer = this.#clock.timer?.start(this.#over, this.left);",
    to: "this.#timer = this.#clock.timer?.start(this.#over, this.left / 2);",
  },
  {
    kind: "network",
    name: "an answer to half a request is believed",
    face: "own-router",
    file: "src/aws/undici.ts",
    from: "if (!this.#sent && this.#status < 300) {",
    to: "if (this.#sent && this.#status < 0) {",
  },
  {
    kind: "gate",
    name: "a circuit that is open stays open",
    face: "jitsu",
    file: "src/delivery/gate.ts",
    from: "circuit.probing || now < circuit.until",
    to: "circuit.probing || circuit.until > 0",
  },
  {
    kind: "gate",
    name: "a throttled invocation keeps its place at the gate",
    face: "own-router",
    file: "src/delivery/gate.ts",
    from: "    this.#inFlight--;\n",
    to: '    if (outcome !== "throttled") this.#inFlight--;\n',
  },
  {
    kind: "once",
    name: "a durable function's event has another name with each try",
    face: "durable",
    file: "src/planning/durable.ts",
    from: "JSON.stringify([sourceId, callType, messageId, account, name])",
    to: "JSON.stringify([sourceId, callType, messageId, account, name, Math.random()])",
  },
];
