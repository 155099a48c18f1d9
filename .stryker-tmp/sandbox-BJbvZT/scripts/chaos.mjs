// @ts-nocheck
// `npm run test:chaos`: bundles test/chaos/ with the source as it stands, and runs it.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const outdir = `${root}node_modules/.cache/chaos`;
await build({
  entryPoints: ["main", "run", "server"].map((name) => `${root}test/chaos/${name}.ts`),
  outdir,
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node20",
  sourcemap: "inline",
  outExtension: { ".js": ".cjs" },
  external: ["@aws-sdk/*"],
  logLevel: "error",
});
process.exitCode =
  spawnSync(process.execPath, [`${outdir}/main.cjs`, ...process.argv.slice(2)], { stdio: "inherit" }).status ?? 1;
