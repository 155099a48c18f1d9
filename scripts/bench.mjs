// `npm run bench`, or with `:neighbours`, `:throttled`, `:receiver`, `:kafka` or `:queue` after it: bundles a benchmark of bench/ with its server, and runs it.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { kafkaClasspath } from "./kafka-classpath.mjs";

const BENCHMARKS = {
  main: ["main", "server"],
  neighbours: ["neighbours", "neighbours-server"],
  throttled: ["throttled", "neighbours-server"],
  receiver: ["receiver", "receiver-baseline", "server"],
  kafka: ["kafka", "server"],
  queue: ["queue", "server"],
};

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
  external: ["@aws-sdk/*", "@platformatic/kafka"],
  logLevel: "error",
});
/** A certificate for the stub over TLS, which Node.js has to know from its start. Without `openssl` there is no TLS to measure. */
function certificate() {
  const [cert, key] = [`${outdir}/stub.crt`, `${outdir}/stub.key`];
  const wanted = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"];
  const names = ["-addext", "subjectAltName=DNS:localhost"];
  spawnSync("openssl", [...wanted, ...names, "-keyout", key, "-out", cert], { stdio: "ignore" });
  return existsSync(cert) ? { BENCH_CERT: cert, BENCH_KEY: key, NODE_EXTRA_CA_CERTS: cert } : {};
}

const MORE_ENVIRONMENT = { main: certificate, kafka: () => ({ KAFKA_CLASSPATH: kafkaClasspath() }) };
const env = { ...process.env, ...MORE_ENVIRONMENT[name]?.() };
const options = name === "neighbours" ? ["--expose-gc"] : [];
process.exitCode =
  spawnSync(process.execPath, [...options, `${outdir}/${name}.cjs`, ...args], { stdio: "inherit", env }).status ?? 1;
