// The other side of the receiver's benchmark: deliver() in a process of its own, which goes on until its parent tells it to stop.
import { createDestination, type DeliveryResult } from "../src/index";

/** Begins; answered with `true` once the first event is delivered. */
export interface Task {
  readonly settings: unknown;
  readonly event: object;
  /** Calls under way. */
  readonly concurrency: number;
  /** Events a call: 1 for `deliver()`, more for `deliverBatch()` of one user's events. */
  readonly size: number;
}

let destination: ReturnType<typeof createDestination> | undefined;
/** Ends what was begun; answered with microseconds of CPU time per event. */
let stop: (() => Promise<number>) | undefined;

process.on("message", async (message: Task | "stop") => {
  if (message === "stop") return process.send?.(await stop?.());
  const { settings, event, concurrency, size } = message;
  destination ??= createDestination(settings);
  const [it, context] = [destination, { sourceId: "bench" }];
  let begun = 0;
  let delivered = 0;
  let stopped = false;
  const send = async () => {
    const call = begun++;
    // An event that is always the same object could be remembered.
    const events = Array.from({ length: size }, (_, i) => ({
      messageId: `m-${call}-${i}`,
      userId: `u-${call}`,
      ...event,
    }));
    const count = ({ outcome, error }: DeliveryResult) => {
      if (outcome !== "delivered") throw new Error(error?.message);
      delivered++;
    };
    if (size === 1) count(await it.deliver(events[0], context));
    else await it.deliverBatch(events, context, { onResult: count });
  };
  await send();
  delivered = 0;
  const before = process.cpuUsage();
  const workers = Array.from({ length: concurrency }, async () => {
    while (!stopped) await send();
  });
  stop = async () => {
    const { user, system } = process.cpuUsage(before);
    const micros = (user + system) / delivered;
    stopped = true;
    await Promise.all(workers);
    return micros;
  };
  return process.send?.(true);
});
process.on("disconnect", () => process.exit(0));
