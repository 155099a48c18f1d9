// Tests the worker in examples/kafka against a real broker: `npm run test:kafka`. Takes what jest takes. KAFKA_EVENTS=20000 sends so many events.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { kafkaClasspath } from "./kafka-classpath.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const { status } = spawnSync(
  process.execPath,
  [
    `${root}node_modules/jest/bin/jest.js`,
    "--config",
    `${root}jest.kafka.config.mjs`,
    "--runInBand",
    ...process.argv.slice(2),
  ],
  { stdio: "inherit", cwd: root, env: { ...process.env, KAFKA_CLASSPATH: kafkaClasspath() } },
);
process.exitCode = status ?? 1;
