import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(__dirname, "..", "..");

let folder: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "first-start-")));
  await writeFile(
    join(folder, "node-18.cjs"),
    'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "18.20.8" } });\nObject.defineProperty(process, "version", { value: "v18.20.8" });\n',
  );
});
afterEach(() => rm(folder, { recursive: true }));

function node(...args: string[]): Promise<{ code: unknown; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, args, (error, out, err) => resolve({ code: error?.code ?? 0, out, err }));
  });
}

test.each([
  ["the command", join(ROOT, "dist", "cli.cjs")],
  ["npm start", join(ROOT, "scripts", "start.mjs")],
])("%s in an old Node.js says in one line which it needs", async (_name, file) => {
  const { code, out, err } = await node("--require", join(folder, "node-18.cjs"), file, "--version");

  expect(err).toMatch(/^[^\n]*needs Node\.js 20 or newer, and this is v18\.20\.8[^\n]*\n$/);
  expect(out).toBe("");
  expect(code).toBe(2);
});

test("npm start before npm ci says in one line what to run first", async () => {
  await mkdir(join(folder, "scripts"));
  await copyFile(join(ROOT, "scripts", "start.mjs"), join(folder, "scripts", "start.mjs"));
  await copyFile(join(ROOT, "package.json"), join(folder, "package.json"));

  const { code, out, err } = await node(join(folder, "scripts", "start.mjs"));

  expect(err).toBe(`Nothing is installed here yet. Run this first, in ${folder}: npm ci\n`);
  expect(out).toBe("");
  expect(code).toBe(2);
});
