import { Writable } from "node:stream";
import { PacedWriter } from "../../src/cli/paced-writer";

test("many writers wait for one slow reader without piling up listeners, and all of it arrives", async () => {
  const release: (() => void)[] = [];
  const arrived: string[] = [];
  const slow = new Writable({
    highWaterMark: 4,
    write(chunk: Buffer, _encoding, done) {
      arrived.push(chunk.toString());
      release.push(done);
    },
  });
  const writer = new PacedWriter(slow);

  const writes = Array.from({ length: 50 }, (_, i) => writer.write(`line ${i}\n`));
  const listeners = slow.listenerCount("drain");
  while (arrived.length < 50 || release.length > 0) {
    release.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(writes);

  expect(listeners).toBe(1);
  expect(arrived.join("")).toBe(Array.from({ length: 50 }, (_, i) => `line ${i}\n`).join(""));
});

test("a reader that goes away holds nobody up", async () => {
  const stream = new Writable({ highWaterMark: 1, write() {} });
  const writer = new PacedWriter(stream);

  const write = writer.write("nobody reads this");
  stream.destroy();

  await expect(write).resolves.toBeUndefined();
});
