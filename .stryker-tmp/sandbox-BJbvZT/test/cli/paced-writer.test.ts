// @ts-nocheck
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

  const atRest = slow.listenerCount("close");
  const writes = Array.from({ length: 50 }, (_, i) => writer.write(`line ${i}\n`));
  const listeners = slow.listenerCount("drain");
  while (arrived.length < 50 || release.length > 0) {
    release.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(writes);

  expect(listeners).toBe(1);
  expect([slow.listenerCount("drain"), slow.listenerCount("close")]).toEqual([0, atRest]);
  expect(arrived.join("")).toBe(Array.from({ length: 50 }, (_, i) => `line ${i}\n`).join(""));
});

test("a reader that goes away holds nobody up", async () => {
  const stream = new Writable({ highWaterMark: 1, write() {} });
  const writer = new PacedWriter(stream);

  const write = writer.write("nobody reads this");
  stream.destroy();

  await expect(write).resolves.toBeUndefined();
});

test("nothing more is written to a stream that was closed once, though it may come back to life as standard output does", async () => {
  let written = 0;
  const stream = new Writable({
    highWaterMark: 1,
    emitClose: false,
    write(_chunk, _encoding, done) {
      written++;
      stream.emit("close");
      done();
    },
  });
  const writer = new PacedWriter(stream);

  for (const text of ["one", "two", "three"]) await writer.write(text);

  expect(written).toBe(1);
});
