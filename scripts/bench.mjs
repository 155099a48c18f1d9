// `npm run bench`: bundles bench/ and runs it.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const outdir = `${root}node_modules/.cache/bench`;
await build({
  entryPoints: [`${root}bench/main.ts`, `${root}bench/server.ts`],
  outdir,
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node20",
  outExtension: { ".js": ".cjs" },
  external: ["@aws-sdk/*"],
  logLevel: "error",
});
process.exitCode =
  spawnSync(process.execPath, [`${outdir}/main.cjs`, ...process.argv.slice(2)], { stdio: "inherit" }).status ?? 1;
