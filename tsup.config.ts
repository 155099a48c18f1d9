import { cpSync } from "node:fs";
import { defineConfig, type Options } from "tsup";
import { shippedPackages } from "./scripts/shipped-packages";

const common: Options = {
  target: "node20",
  platform: "node",
  sourcemap: false,
  clean: false,
  splitting: false,
  esbuildPlugins: [shippedPackages({ licenses: "dist/THIRD-PARTY-LICENSES.txt", sbom: "dist/sbom.cdx.json" })],
};

export default defineConfig([
  {
    ...common,
    entry: {
      index: "src/index.ts",
      jitsu: "src/hosts/jitsu/index.ts",
      function: "src/function/index.ts",
      webhook: "src/hosts/webhook/lambda.ts",
    },
    format: ["esm", "cjs"],
    dts: true,
    splitting: true,
    esbuildOptions(options, { format }) {
      // What turns the pieces into CommonJS would put calls of helpers for these, several for each event.
      if (format === "cjs") options.supported = { "optional-chain": false, "nullish-coalescing": false };
    },
  },
  {
    // Deployed to sandboxes which have nothing but ECMAScript: one file that imports nothing.
    ...common,
    entry: { "functions/amazon-lambda": "src/hosts/jitsu/sandbox.ts" },
    format: ["esm"],
    platform: "neutral",
    target: "es2022",
    noExternal: [/.*/],
    minify: true,
    define: { process: "undefined" },
  },
  {
    // Dropped into rudder-transformer, which has none of our dependencies: two files that import nothing but Node.js.
    ...common,
    entry: {
      "rudderstack/transform": "src/hosts/rudderstack/transform.ts",
      "rudderstack/networkHandler": "src/hosts/rudderstack/network-handler.ts",
    },
    format: ["cjs"],
    noExternal: [/.*/],
    minify: true,
  },
  {
    ...common,
    entry: {
      cli: "src/cli/main.ts",
      "local/worker": "src/local/worker.ts",
      "local/python-runtime": "src/local/python-runtime.py",
      "local/check-worker": "src/local/check-worker.ts",
    },
    format: ["cjs"],
    loader: { ".py": "copy" },
    esbuildOptions(options) {
      // So that a Node.js that is much too old can read the file as far as the line by which it is refused.
      options.supported = {
        "logical-assignment": false,
        "class-private-brand-check": false,
        "class-static-blocks": false,
      };
    },
  },
  {
    // What the page of `start` is made of: static files that need nothing from anywhere.
    ...common,
    entry: { "page/page": "src/page/main.tsx" },
    format: ["esm"],
    platform: "browser",
    target: "es2022",
    noExternal: [/.*/],
    minify: true,
    define: { "process.env.NODE_ENV": '"production"' },
    esbuildOptions: (options) => {
      options.jsx = "automatic";
    },
    onSuccess: async () => {
      for (const name of ["index.html", "icon.svg"]) cpSync(`src/page/${name}`, `dist/page/${name}`);
    },
  },
]);
