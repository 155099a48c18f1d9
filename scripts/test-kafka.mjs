// Tests the worker in examples/kafka against a real broker: `npm run test:kafka`. Takes what jest takes.
// KAFKA_EVENTS=20000 sends so many events; KAFKA_MEASURE=true also measures one and three processes.
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const pom = join(root, "test/kafka/pom.xml");
const cache = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "amazon-lambda-destination");
const jars = join(cache, `kafka-${createHash("sha256").update(readFileSync(pom)).digest("hex").slice(0, 12)}`);

function need(command, option) {
  if (spawnSync(command, [option]).status === 0) return;
  console.error(`test:kafka needs ${command} (on Debian: apt-get install -y openjdk-17-jre-headless maven).`);
  process.exit(1);
}

need("java", "-version");
if (!existsSync(jars)) {
  need("mvn", "--version");
  console.error("Installing Apache Kafka from Maven Central (about 50 MB) …");
  const unfinished = `${jars}.${process.pid}`;
  mkdirSync(cache, { recursive: true });
  execFileSync("mvn", ["-q", "-B", "-f", pom, "dependency:copy-dependencies", `-DoutputDirectory=${unfinished}`], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (existsSync(jars)) rmSync(unfinished, { recursive: true });
  else renameSync(unfinished, jars);
}

const jest = join(root, "node_modules/jest/bin/jest.js");
const { status } = spawnSync(
  process.execPath,
  [jest, "--config", join(root, "jest.kafka.config.mjs"), "--runInBand", ...process.argv.slice(2)],
  { stdio: "inherit", env: { ...process.env, KAFKA_CLASSPATH: join(jars, "*") } },
);
process.exit(status ?? 1);
