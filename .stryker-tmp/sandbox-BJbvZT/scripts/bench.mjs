// @ts-nocheck
// `npm run bench` and `npm run bench:neighbours`: bundles a benchmark of bench/ with its server, and runs it.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const BENCHMARKS = { main: ["main", "server"], neighbours: ["neighbours", "neighbours-server"] };

const [name, ...args] = process.argv[2] in BENCHMARKS ? process.argv.slice(2) : ["main", ...process.argv.slice(2)];
const root = fileURLToPath(new URL("..", import.meta.url));
const outdir = `${root}node_modules/.cache/bench`;
await build({
  entryPoints: BENCHMARKS[name].map((entry) => `${root}bench/${entry}.ts`),
  outdir,
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node20",
  outExtension: { ".js": ".cjs" },
  external: ["@aws-sdk/*"],
  logLevel: "error",
});
const options = name === "neighbours" ? ["--expose-gc"] : [];
process.exitCode =
  spawnSync(process.execPath, [...options, `${outdir}/${name}.cjs`, ...args], { stdio: "inherit" }).status ?? 1;
