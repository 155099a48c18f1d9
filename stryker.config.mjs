// `npm run test:mutation`: changes what decides an event's end, one thing at a time, and sees whether a test notices.

/** The tests of what is mutated: they need no build, no other process and no sandbox. */
export const TESTS = [
  ...["aws", "delivery", "planning", "settings", "events", "names", "encoding", "destination"].map(
    (room) => `test/${room}/*.test.ts`,
  ),
  ...["bad-input", "failure-lambda", "function-modes", "surroundings", "tenant-watch"].map(
    (name) => `test/${name}.test.ts`,
  ),
  "test/hosts/jitsu/destination-function.test.ts",
  ...["delivery", "failure", "transformation"].map((name) => `test/hosts/rudderstack/${name}.test.ts`),
  "test/hosts/webhook/answer.test.ts",
];

/** @type {import("@stryker-mutator/api/core").PartialStrykerOptions} */
const config = {
  testRunner: "mutation",
  plugins: [new URL("scripts/mutation-runner.mjs", import.meta.url).href],
  coverageAnalysis: "perTest",
  mutate: [
    "src/destination/*.ts",
    "src/planning/*.ts",
    "src/delivery/*.ts",
    "src/aws/*.ts",
    // These decide how a request gets to AWS, not what becomes of its event.
    "!src/aws/{proxies,signature}.ts",
    "src/settings/*.ts",
    "src/hosts/jitsu/report.ts",
    "src/hosts/rudderstack/{delivery,failure}.ts",
    "src/hosts/webhook/answer.ts",
  ],
  // Words to people are compared where they matter.
  mutator: { excludedMutations: ["StringLiteral", "ObjectLiteral"] },
  ignoreStatic: true,
  concurrency: 2,
  timeoutMS: 5_000,
  maxTestRunnerReuse: 100,
  disableTypeChecks: false,
  reporters: ["clear-text", "progress", "json"],
  clearTextReporter: { logTests: false, allowColor: false, allowEmojis: false },
  jsonReporter: { fileName: "node_modules/.cache/mutation.json" },
  tempDirName: ".stryker-tmp",
  cleanTempDir: "always",
  thresholds: { high: 95, low: 90, break: 80 },
};

export default config;
