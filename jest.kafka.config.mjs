import base from "./jest.config.mjs";

/** A broker, worker processes and a minute of trouble: `npm run test:kafka`. @type {import("jest").Config} */
const config = {
  ...base,
  roots: ["<rootDir>/test/kafka"],
  testPathIgnorePatterns: ["/node_modules/"],
  // The client, and what it consists of, are ES modules only.
  transformIgnorePatterns: ["/node_modules/(?!@platformatic/)"],
  testTimeout: 900_000,
};

export default config;
