#!/usr/bin/env node
import "./node-version";
import pc from "picocolors";
import { version } from "../../package.json";
import { type Command, type Io, UsageError } from "./command";
import { fileProblem } from "./file-problem";
import { printableLines } from "./printable";
import { wrongArguments } from "./wrong-arguments";

/** Loaded when called, so that `--help` and the small commands start at once. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => (await import("./start")).start,
  send: async () => (await import("./send")).send,
  serve: async () => (await import("./serve")).serve,
  check: async () => (await import("./check")).check,
  iam: async () => (await import("./iam")).iam,
  form: async () => (await import("./form")).form,
  migrate: async () => (await import("./migrate")).migrate,
  "install jitsu": async () => (await import("./install-jitsu")).installJitsu,
  "install rudderstack": async () => (await import("./install-rudderstack")).installRudderstack,
  "uninstall jitsu": async () => (await import("./install-jitsu")).uninstallJitsu,
  "uninstall rudderstack": async () => (await import("./install-rudderstack")).uninstallRudderstack,
};

const processIo: Io = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  onInterrupt(callback) {
    process.on("SIGINT", callback);
    process.on("SIGTERM", callback);
    return () => {
      process.off("SIGINT", callback);
      process.off("SIGTERM", callback);
    };
  },
};

async function main(args: readonly string[], io: Io): Promise<number> {
  const [name] = args;
  if (name === "--version" || name === "-v") {
    io.stdout.write(`${version}\n`);
    return 0;
  }
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    io.stdout.write(await overview());
    return name === undefined ? 2 : 0;
  }
  const words = Object.hasOwn(COMMANDS, name) ? 1 : 2;
  const fullName = args.slice(0, words).join(" ");
  const load = Object.hasOwn(COMMANDS, fullName) ? COMMANDS[fullName] : undefined;
  if (!load) {
    const group = Object.keys(COMMANDS).some((each) => each.startsWith(`${name} `)) ? `${name} ` : "";
    const [, second] = args;
    if (group && (second === undefined || second === "--help" || second === "-h")) {
      io.stdout.write(await overview(group));
      return second === undefined ? 2 : 0;
    }
    throw new UsageError(`There is no command ${JSON.stringify(fullName)}.\n\n${await overview(group)}`);
  }
  const command = await load();
  const argv = args.slice(words);
  if (argv.includes("--help") || argv.includes("-h")) {
    io.stdout.write(command.help);
    return 0;
  }
  return command.run(argv, io).catch((error) => {
    throw wrongArguments(error, fullName) ?? error;
  });
}

/** The commands, or those of a group (`"install "`). */
async function overview(group = ""): Promise<string> {
  const lines = await Promise.all(
    Object.entries(COMMANDS)
      .filter(([name]) => name.startsWith(group))
      .map(async ([name, load]) => `  ${name.padEnd(23)}${(await load()).summary}`),
  );
  return `Usage: amazon-lambda-destination ${group}<command> [options]

${lines.join("\n")}

amazon-lambda-destination ${group}<command> --help has the details.
Exit codes: 0 done, 1 something was not delivered or is not right, 2 wrong usage or settings.
`;
}

function complain(error: unknown): number {
  const text =
    error instanceof UsageError ? error.message : `Unexpected error, please report it: ${(error as Error).stack}`;
  const lines = printableLines(text).join("\n");
  process.stderr.write(`${pc.createColors(process.stderr.isTTY === true).red("error")}: ${lines}\n`);
  return 2;
}

// A reader that has had enough (`| head`) is told nothing more; what was under way is not done, though.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  const commandSeesToIt = process.stdout.listenerCount("error") > 1;
  if (commandSeesToIt) return;
  if (error.code !== "EPIPE") complain(fileProblem("write", "standard output", error));
  process.exit(1);
});
// Nobody is left who could be told.
process.stderr.on("error", () => {});

// Which Node.js to run is told by this package's own `engines`.
process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";

main(process.argv.slice(2), processIo).then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    process.exitCode = complain(error);
  },
);
