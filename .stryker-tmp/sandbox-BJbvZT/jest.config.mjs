/** @type {import("jest").Config} */
// @ts-nocheck

const config = {
  testEnvironment: "node",
  roots: ["<rootDir>/test"],
  // Real processes and sockets on a busy machine: a test that hangs is told apart, one that is slow is not.
  testTimeout: 30_000,
  testMatch: ["**/*.test.ts"],
  // They need a browser, and have a command of their own.
  testPathIgnorePatterns: ["/node_modules/", "<rootDir>/test/browser/"],
  transform: {
    "^.+\\.[tj]sx?$": [
      "@swc/jest",
      {
        jsc: { parser: { syntax: "typescript" }, target: "es2022" },
        module: { type: "commonjs", ignoreDynamic: false },
      },
    ],
  },
  // Packages that ship ES modules only.
  transformIgnorePatterns: ["/node_modules/(?!@noble/hashes/)"],
};

export default config;
