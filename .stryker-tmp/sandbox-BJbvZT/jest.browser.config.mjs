// @ts-nocheck
import base from "./jest.config.mjs";

/** The tests that need a browser: `npm run test:browser`. @type {import("jest").Config} */
const config = { ...base, roots: ["<rootDir>/test/browser"], testPathIgnorePatterns: ["/node_modules/"] };

export default config;
