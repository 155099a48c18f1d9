// `npm run stack`: the receiver's template and `serve --drain` on the embedded AWS, with everything that may fall over.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const help = `Usage: npm run stack -- [--events <n>]

Runs the receiver's CloudFormation template, its functions as processes, on the embedded AWS with its queue; then serve and three serve --drain on the same queue.
Posts events, kills processes, throttles the function, takes the queue away, and counts: nothing may be lost, each user's order is kept.

  --events <n>   of each of the two (default 400; 20000 takes some minutes)
  --help
`;

const { values } = parseArgs({ options: { events: { type: "string", default: "400" }, help: { type: "boolean" } } });
if (values.help || !(Number(values.events) >= 100)) {
  (values.help ? process.stdout : process.stderr).write(help);
  process.exit(values.help ? 0 : 2);
}
const root = fileURLToPath(new URL("..", import.meta.url));
const jest = [`${root}node_modules/jest/bin/jest.js`, "--runInBand", "--testMatch", "**/*.stack.ts"];
const { status } = spawnSync(process.execPath, jest, {
  cwd: root,
  stdio: "inherit",
  env: { ...process.env, STACK_EVENTS: values.events },
});
process.exitCode = status ?? 1;
