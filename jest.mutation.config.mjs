import config from "./jest.config.mjs";

/** The tests of what is mutated: they need no build, no other process and no sandbox. */
export default {
  ...config,
  roots: ["<rootDir>/src", "<rootDir>/test"],
  testMatch: [
    "<rootDir>/test/{aws,delivery,planning,settings,events,names,encoding}/**/*.test.ts",
    "<rootDir>/test/destination/*.test.ts",
    "<rootDir>/test/{bad-input,failure-lambda,function-modes,surroundings}.test.ts",
    "<rootDir>/test/hosts/jitsu/destination-function.test.ts",
    "<rootDir>/test/hosts/rudderstack/{failure,transformation}.test.ts",
  ],
};
