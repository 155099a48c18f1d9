// `npm run test:mutation`: changes what decides an event's end, one thing at a time, and sees whether a test notices.
/** @type {import("@stryker-mutator/api/core").PartialStrykerOptions} */
const config = {
  testRunner: "jest",
  plugins: ["@stryker-mutator/jest-runner"],
  jest: { configFile: "jest.mutation.config.mjs" },
  coverageAnalysis: "perTest",
  mutate: [
    "src/destination/*.ts",
    "src/planning/*.ts",
    "src/delivery/*.ts",
    "src/aws/{clock,deadline,failed-call,invoker,lambda,quoted-secrets,retry-after,session-policy,sessions}.ts",
    "src/settings/{external-id,operator-policy,routes,tenant}.ts",
    "src/hosts/jitsu/report.ts",
    "src/hosts/rudderstack/failure.ts",
  ],
  // Words to people are compared where they matter.
  mutator: { excludedMutations: ["StringLiteral", "ObjectLiteral"] },
  ignoreStatic: true,
  concurrency: 2,
  timeoutMS: 20_000,
  reporters: ["clear-text", "progress", "json"],
  jsonReporter: { fileName: "node_modules/.cache/mutation.json" },
  tempDirName: ".stryker-tmp",
  cleanTempDir: "always",
  thresholds: { high: 95, low: 90, break: 85 },
};

export default config;
