// `npm run test:chaos`: bundles test/chaos/ with the source as it stands, and runs it; with `--defects`, once with each defect put back.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import pc from "picocolors";
import { DEFECTS } from "../test/chaos/defects.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
/** Seeds in which a defect is looked for, one after the other, and events of each. */
const SEEDS = 5;
const EVENTS = 1000;
/** Defects that are looked for at once: most of the time is waiting. */
const AT_ONCE = 4;

async function bundle(outdir, defect) {
  const putBack = {
    name: "put-back",
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        if (path !== root + defect.file) return undefined;
        const source = readFileSync(path, "utf8");
        return { contents: source.replaceAll(defect.from, () => defect.to), loader: "ts" };
      });
    },
  };
  await build({
    entryPoints: ["main", "run", "server", "receiver"].map((name) => `${root}test/chaos/${name}.ts`),
    outdir,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    sourcemap: "inline",
    outExtension: { ".js": ".cjs" },
    external: ["@aws-sdk/*"],
    logLevel: "error",
    plugins: defect ? [putBack] : [],
  });
  return `${outdir}/main.cjs`;
}

/** @returns what the run that found it said, or nothing */
async function found(defect, number) {
  const main = await bundle(`${root}node_modules/.cache/chaos/defect-${number}`, defect);
  for (let seed = 1; seed <= SEEDS; seed++) {
    const args = ["--face", defect.face, "--seed", seed, "--events", EVENTS].map(String);
    const run = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    let complained = "";
    run.stderr.on("data", (chunk) => {
      complained += chunk;
    });
    run.stdout.on("data", (chunk) => {
      said += chunk;
    });
    const [code] = await once(run, "close");
    if (code !== 0) return { seed, why: said.split("\n")[1]?.trim() ?? complained.trim() };
  }
  return undefined;
}

async function findDefects(face) {
  if (outdated()) return 1;
  const sought = DEFECTS.filter((defect) => face === undefined || defect.face === face);
  const queue = [...sought.entries()];
  let missed = 0;
  const worker = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const [number, defect] = next;
      const by = await found(defect, number);
      if (!by) missed++;
      const mark = by ? pc.green("✓") : pc.red("✗");
      const how = by ? `found by seed ${by.seed}: ${by.why}` : `not found by ${SEEDS} seeds`;
      console.log(`${mark} ${defect.kind}: ${defect.name} (${defect.face}) ${how}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  console.log(`\n${sought.length - missed} of ${sought.length} defects were found.`);
  return missed === 0 ? 0 : 1;
}

/** Says which of them the source has outgrown. */
function outdated() {
  const gone = DEFECTS.filter(({ file, from }) => !readFileSync(root + file, "utf8").includes(from));
  for (const { file, name } of gone) console.error(`${file} has changed: "${name}" cannot be put back.`);
  return gone.length > 0;
}

async function run(args) {
  if (outdated()) return 1;
  const main = await bundle(`${root}node_modules/.cache/chaos`);
  const [code] = await once(spawn(process.execPath, [main, ...args], { stdio: "inherit" }), "close");
  return code ?? 1;
}

const args = process.argv.slice(2);
const face = args.includes("--face") ? args[args.indexOf("--face") + 1] : undefined;
process.exitCode = args.includes("--defects") ? await findDefects(face) : await run(args);
