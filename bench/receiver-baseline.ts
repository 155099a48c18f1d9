// The other side of the receiver's benchmark: deliver() in a process of its own, told by its parent how many events.
import { createDestination } from "../src/index";

export interface Task {
  readonly settings: unknown;
  readonly event: object;
  readonly events: number;
  readonly concurrency: number;
}

let destination: ReturnType<typeof createDestination> | undefined;

process.on("message", async ({ settings, event, events, concurrency }: Task) => {
  destination ??= createDestination(settings);
  const deliver = destination;
  let left = events;
  const worker = async () => {
    // As from JSON: an event that is always the same object could be remembered.
    while (left-- > 0) {
      const { outcome, error } = await deliver.deliver({ ...event, userId: `u-${left}` }, { sourceId: "bench" });
      if (outcome !== "delivered") throw new Error(error?.message);
    }
  };
  const before = process.cpuUsage();
  await Promise.all(Array.from({ length: concurrency }, worker));
  const { user, system } = process.cpuUsage(before);
  process.send?.((user + system) / events);
});
process.on("disconnect", () => process.exit(0));
