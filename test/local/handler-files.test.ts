import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { assertRunnable, handlerFolder } from "../../src/local/handler-files";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "handlers-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** What is found in a folder of these files. */
async function found(files: Readonly<Record<string, string>>) {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  const { functions, notes } = await handlerFolder(folder);
  return { functions: functions.map(({ name, file }) => [name, relative(folder, file)]), notes };
}

test("files and folders in every language that is run here are functions of their names", async () => {
  const { functions, notes } = await found({
    "alias.cjs": "",
    "group.py": "",
    "identify/index.py": "",
    "lambda.mts": "",
    "page/lambda_function.py": "",
    "screen/package.json": '{"main":"src/main.mjs"}',
    "screen/src/main.mjs": "",
    "track/index.mjs": "",
    "track/package.json": "{}",
    "track/node_modules/some/index.js": "",
  });

  expect(functions).toEqual([
    ["alias", "alias.cjs"],
    ["group", "group.py"],
    ["identify", "identify/index.py"],
    ["lambda", "lambda.mts"],
    ["page", "page/lambda_function.py"],
    ["screen", "screen/src/main.mjs"],
    ["track", "track/index.mjs"],
  ]);
  expect(notes).toEqual([]);
});

test("modules that only others import, types, settings and packages are none, and are no news", async () => {
  const { functions, notes } = await found({
    "lambda.py": "",
    "shared.py": "def store(event): pass\n",
    "orders.py": "from shared import store as handler\n",
    "track.d.ts": "",
    "settings.json": "{}",
    "README.md": "",
    "lib/store.mjs": "",
    "node_modules/x/index.js": "",
    "__pycache__/x.py": "",
    ".hidden/index.mjs": "",
  });

  expect(functions.map(([name]) => name)).toEqual(["lambda", "orders"]);
  expect(notes).toEqual([]);
});

test("what looks like a function and is not run is told", async () => {
  const { notes } = await found({
    "track.mjs": "",
    "page.rb": "",
    "identify.go": "",
    "my.track.mjs": "",
    "group/handler.mjs": "",
  });

  expect(notes).toEqual([
    "group is not run: there is no group/index.mjs, .ts or .py.",
    "identify.go is not run: here, functions are JavaScript, TypeScript or Python, not Go.",
    "my.track.mjs is not run: a function's name has letters, digits, - and _ only, 64 at most.",
    "page.rb is not run: here, functions are JavaScript, TypeScript or Python, not Ruby.",
  ]);
});

test("a folder with nothing to run says what is missing and what is not run", async () => {
  await found({ "page.rb": "" });
  const all = await handlerFolder(folder);
  expect(() => assertRunnable(folder, all)).toThrow(/no file such as track\.mjs.*\npage\.rb is not run/);
});

test("two files of one name are told", async () => {
  await found({ "track.mjs": "", "track/index.ts": "" });
  const all = await handlerFolder(folder);
  expect(() => assertRunnable(folder, all)).toThrow("There are several files for the function track");
});
