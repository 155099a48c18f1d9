// Apache Kafka's jars, from Maven Central: installed once beside this user's caches.
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const pom = fileURLToPath(new URL("../test/kafka/pom.xml", import.meta.url));
const cache = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "amazon-lambda-destination");

function need(command, option) {
  if (spawnSync(command, [option]).status === 0) return;
  console.error(`${command} is needed (on Debian: apt-get install -y openjdk-17-jre-headless maven).`);
  process.exit(1);
}

/** @returns the class path of a broker */
export function kafkaClasspath() {
  const jars = join(cache, `kafka-${createHash("sha256").update(readFileSync(pom)).digest("hex").slice(0, 12)}`);
  need("java", "-version");
  if (existsSync(jars)) return join(jars, "*");
  need("mvn", "--version");
  console.error("Installing Apache Kafka from Maven Central (about 50 MB) …");
  const unfinished = `${jars}.${process.pid}`;
  mkdirSync(cache, { recursive: true });
  execFileSync("mvn", ["-q", "-B", "-f", pom, "dependency:copy-dependencies", `-DoutputDirectory=${unfinished}`], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (existsSync(jars)) rmSync(unfinished, { recursive: true });
  else renameSync(unfinished, jars);
  return join(jars, "*");
}
