// What runs the tests for `npm run test:mutation`. Jest loads each module anew for each test file, the AWS SDK among them, which made
// it half a minute of CPU per mutant. Here packages are loaded once per process; what is ours is bundled per test file and evaluated
// anew for each mutant. The tests are Jest's all the same: its `describe`, `test` and `expect` run them.
import { AsyncLocalStorage } from "node:async_hooks";
import { createRequire } from "node:module";
import { dirname, relative, resolve } from "node:path";
import { Script } from "node:vm";
import { build } from "esbuild";
import { expect } from "expect";
import * as circus from "jest-circus";
import { ModuleMocker } from "jest-mock";
import nock from "nock";
import { TESTS } from "../stryker.config.mjs";

/** A promise that a mutant left open fails its test after this long. */
const TEST_TIMEOUT_MS = 5000;
const PASSED = 0;
const FAILED = 1;

/** Where the mutated code looks for the mutant that is on, and counts what a test reaches. */
// biome-ignore lint/suspicious/noAssignInExpressions: it may be there already
const stryker = (globalThis.__stryker__ ??= {});

const mocker = new ModuleMocker(globalThis);
const { describe, test, it, beforeAll, beforeEach, afterEach, afterAll } = circus;
Object.assign(globalThis, { describe, test, it, beforeAll, beforeEach, afterEach, afterAll, expect });
/** Packages that a test file has something else in place of. */
const mocked = new Map();
globalThis.jest = {
  mock: (name, load) => mocked.set(name, load),
  requireActual: createRequire(import.meta.url),
  fn: (implementation) => mocker.fn(implementation),
  spyOn: (object, name) => mocker.spyOn(object, name),
  restoreAllMocks: () => mocker.restoreAllMocks(),
  setTimeout: () => {},
};

function fullName(test) {
  const names = [test.name];
  for (let block = test.parent; block.parent; block = block.parent) names.unshift(block.name);
  return names.join(" ");
}

/** The folder below src/ or test/. */
const room = (file) => dirname(relative(process.cwd(), resolve(file))).replace(/^(src|test)\/?/, "");

class MutationRunner {
  static inject = [];
  /** Path of a test file -> its code and that of ours which it imports; a call evaluates it. */
  #bundles = new Map();
  /** Those of them that have `nock` between them and the network. */
  #nocked = new Set();
  /** Path of a test file -> how much it loads, and about how long it takes. */
  #sizes = new Map();
  /** What is left behind by one run must not fail the tests of the next. */
  #runs = new AsyncLocalStorage();
  #run = { results: [], bail: false, file: "" };

  capabilities() {
    return { reloadEnvironment: true };
  }

  async init() {
    process.setMaxListeners(0);
    for (const event of ["uncaughtException", "unhandledRejection"])
      process.on(event, (error) => {
        if (this.#runs.getStore() === this.#run) circus.getState().currentlyRunningTest?.errors.push(error);
      });
    circus.addEventHandler((event, state) => this.#heard(event, state));
    const { outputFiles } = await build({
      absWorkingDir: process.cwd(),
      entryPoints: TESTS,
      outdir: "bundles",
      outbase: ".",
      bundle: true,
      write: false,
      packages: "external",
      platform: "node",
      format: "cjs",
      target: "node20",
      supported: { "dynamic-import": false },
      logLevel: "error",
    });
    for (const { path, text } of outputFiles) {
      const file = relative("bundles", path).replace(/\.js$/, ".ts");
      const script = new Script(`(function (require, module, exports, __dirname) {${text}\n})`, {
        filename: resolve(file),
      });
      this.#bundles.set(file, script);
      this.#sizes.set(file, text.length);
      if (text.includes('require("nock")')) this.#nocked.add(file);
    }
  }

  #heard({ name, test }, state) {
    if (name !== "test_started" && name !== "test_done") return;
    const id = `${this.#run.file}: ${fullName(test)}`;
    stryker.currentTestId = name === "test_started" ? id : undefined;
    if (name === "test_started") return;
    const result = { id, name: id, fileName: resolve(this.#run.file), timeSpentMs: test.duration ?? 0, status: PASSED };
    this.#run.results.push(result);
    if (test.errors.length === 0) return;
    const [error] = [test.errors[0]].flat();
    Object.assign(result, { status: FAILED, failureMessage: String(error?.stack ?? error) });
    if (this.#run.bail) state.testNamePattern = { test: () => false };
  }

  /** Runs those of a file's tests that are wanted, or all. */
  async #runFile(file, wanted, evaluated) {
    const environment = process.env;
    const before = { ...environment };
    this.#run.file = file;
    nock.restore();
    if (this.#nocked.has(file)) nock.activate();
    circus.resetState();
    const state = circus.getState();
    state.testTimeout = TEST_TIMEOUT_MS;
    expect.setState({ testPath: resolve(file) });
    mocked.clear();
    const real = createRequire(resolve(file));
    const load = Object.assign((name) => (mocked.get(name) ?? real)(name), real);
    const module = { exports: {} };
    this.#bundles.get(file).runInThisContext()(load, module, module.exports, resolve(dirname(file)));
    evaluated();
    if (wanted) state.testNamePattern = { test: (name) => wanted.has(`${file}: ${name}`) };
    try {
      await circus.run();
    } finally {
      mocker.restoreAllMocks();
      nock.cleanAll();
      nock.enableNetConnect();
      process.env = environment;
      for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
      Object.assign(process.env, before);
    }
  }

  async dryRun() {
    stryker.mutantCoverage = { static: {}, perTest: {} };
    this.#run = { results: [], bail: false, file: "" };
    for (const file of this.#bundles.keys()) {
      await this.#runs.run(this.#run, () => this.#runFile(file, undefined, () => {}));
    }
    return { status: "complete", tests: this.#run.results, mutantCoverage: stryker.mutantCoverage };
  }

  async mutantRun({ activeMutant, testFilter, sandboxFileName, mutantActivation, hitLimit, disableBail }) {
    this.#run = { results: [], bail: !disableBail, file: "" };
    const wanted = testFilter && new Set(testFilter);
    const files = wanted ? [...new Set(testFilter.map((id) => id.split(": ", 1)[0]))] : [...this.#bundles.keys()];
    const near = room(sandboxFileName);
    const distance = (file) => (room(file) === near ? 0 : this.#sizes.get(file));
    files.sort((one, other) => distance(one) - distance(other));
    Object.assign(stryker, { hitCount: hitLimit === undefined ? undefined : 0, hitLimit });
    const failed = () => this.#run.results.find(({ status }) => status === FAILED);
    for (const file of files) {
      stryker.activeMutant = mutantActivation === "static" ? activeMutant.id : undefined;
      try {
        const evaluated = () => {
          stryker.activeMutant = activeMutant.id;
        };
        await this.#runs.run(this.#run, () => this.#runFile(file, wanted, evaluated));
      } catch (error) {
        return { status: "killed", killedBy: [], failureMessage: `${file}: ${error?.stack ?? error}`, nrOfTests: 0 };
      } finally {
        stryker.activeMutant = undefined;
      }
      if (stryker.hitCount > hitLimit) return { status: "timeout", reason: `Hit limit of ${hitLimit} reached` };
      if (failed() && !disableBail) break;
    }
    const nrOfTests = this.#run.results.length;
    const killedBy = this.#run.results.filter(({ status }) => status === FAILED);
    if (killedBy.length === 0) return { status: "survived", nrOfTests };
    return {
      status: "killed",
      killedBy: killedBy.map(({ id }) => id),
      failureMessage: killedBy[0].failureMessage,
      nrOfTests,
    };
  }
}

export const strykerPlugins = [{ kind: "TestRunner", name: "mutation", injectableClass: MutationRunner }];
