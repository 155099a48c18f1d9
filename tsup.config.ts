import { defineConfig, type Options } from "tsup";

const common: Options = { target: "node20", platform: "node", sourcemap: false, clean: false, splitting: false };

export default defineConfig([
  {
    ...common,
    entry: { index: "src/index.ts", jitsu: "src/hosts/jitsu/index.ts" },
    format: ["esm", "cjs"],
    // The types of @jitsu/protocols are inlined: a user of our types must not need that package.
    dts: { resolve: ["@jitsu/protocols"] },
    splitting: true,
  },
  {
    ...common,
    entry: { cli: "src/cli/main.ts", "local/worker": "src/local/worker.ts" },
    format: ["cjs"],
  },
]);
