import { appendFile, type FileHandle, mkdir, mkdtemp, open, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeadLetterFile } from "../../../src/hosts/webhook/dead-letters";

const WHY = {
  messageId: "m-1",
  code: "RejectedByFunction",
  message: "Not this one.",
  connection: "shop",
  rejectedAt: "2026-05-01T12:00:00.000Z",
};

let folder: string;
let path: string;
let file: DeadLetterFile;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dead-letters-"));
  path = join(folder, "dead-letters.ndjson");
  file = new DeadLetterFile(path);
});

afterEach(async () => {
  jest.restoreAllMocks();
  await rm(folder, { recursive: true });
});

async function lines(at = path): Promise<string[]> {
  return (await readFile(at, "utf8")).trimEnd().split("\n");
}

/** Lets the disk take its time. */
async function slowDisk(): Promise<{ asked: Promise<void>; finish: () => void }> {
  const probe = await open(join(folder, "probe"), "w");
  await probe.close();
  let finish = () => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const asked = new Promise<void>((resolve) => {
    jest.spyOn(Object.getPrototypeOf(probe) as FileHandle, "datasync").mockImplementation(() => {
      resolve();
      return finished;
    });
  });
  return { asked, finish };
}

test("an event is kept once it is on the disk, not once it is written", async () => {
  const disk = await slowDisk();
  let kept = false;
  const keeping = file.keep({ n: 1 }, WHY).then(() => {
    kept = true;
  });
  await disk.asked;
  expect(JSON.parse((await lines())[0] ?? "")).toEqual({ ...WHY, event: { n: 1 } });
  expect(kept).toBe(false);
  disk.finish();
  await keeping;
});

test("what comes while the disk is busy is written together, each once", async () => {
  const disk = await slowDisk();
  const first = file.keep({ n: 1 }, WHY);
  await disk.asked;
  const others = [2, 3, 4].map((n) => file.keep({ n }, WHY));
  disk.finish();
  await Promise.all([first, ...others]);
  expect((await lines()).map((line) => (JSON.parse(line) as { event: { n: number } }).event.n)).toEqual([1, 2, 3, 4]);
});

test("a line that a killed process left unfinished spoils no other", async () => {
  await appendFile(path, '{"messageId":"m-0","eve');
  await file.keep({ n: 1 }, WHY);
  const [torn, whole] = await lines();
  expect(torn).toBe('{"messageId":"m-0","eve');
  expect(JSON.parse(whole ?? "")).toMatchObject({ event: { n: 1 } });
});

test("a file that is moved away is begun anew", async () => {
  await file.keep({ n: 1 }, WHY);
  await rename(path, `${path}.1`);
  await file.keep({ n: 2 }, WHY);
  expect([await lines(`${path}.1`), await lines()].map((each) => each.length)).toEqual([1, 1]);
});

test("what cannot be written is not kept, and what comes after it is", async () => {
  await rm(folder, { recursive: true });
  await expect(file.check()).rejects.toThrow("ENOENT");
  await expect(file.keep({ n: 1 }, WHY)).rejects.toThrow("ENOENT");
  await mkdir(folder);
  await file.keep({ n: 2 }, WHY);
  expect(await lines()).toEqual([expect.stringContaining('"event":{"n":2}')]);
});

test("a disk that hangs fills no memory: beyond 64 MiB nothing more is taken", async () => {
  const disk = await slowDisk();
  const first = file.keep({ n: 1 }, WHY);
  await disk.asked;
  const large = "x".repeat(33 * 1024 * 1024);
  const second = file.keep({ large }, WHY);
  await expect(file.keep({ large }, WHY)).rejects.toThrow("More waits to be written");
  disk.finish();
  await Promise.all([first, second]);
});
