import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createTwoFilesPatch } from "diff";
import { version } from "../../package.json";
import { applyChanges, type FileChange, NotInstallable } from "../hosts/file-changes";
import {
  type BuiltFiles,
  type Plan,
  planInstallation,
  planRemoval,
  shortPath,
} from "../hosts/rudderstack/installation";
import { type Command, type ExitCode, type Io, UsageError } from "./command";
import { packageRoot } from "./package-root";

const installHelp = `Usage: amazon-lambda-destination install rudderstack <folder> [--dry-run]

Adds the destination to a built rudder-transformer: two new files, and an entry in its list of features, without which
rudder-server would not deliver in batches. Start the transformer anew afterwards.

  <folder>    the transformer's build, /home/node/app/dist in the official image
  --dry-run   shows every change and makes none
  --help

Installing again is harmless; another version of the destination is replaced.
Exit codes: 0 installed, 2 not possible (the message says why; nothing was changed).
`;

const uninstallHelp = `Usage: amazon-lambda-destination uninstall rudderstack <folder> [--dry-run]

Takes the destination out of a built rudder-transformer: the folder is then what it was, to the byte.

  <folder>    as for install
  --dry-run   shows every change and makes none
  --help
`;

export const installRudderstack: Command = {
  summary: "Adds the destination to a built rudder-transformer",
  help: installHelp,
  run: async (argv, io) =>
    run(argv, io, async (folder) => planInstallation(folder, await builtFiles(), version), {
      done: "The destination is installed. Start the transformer anew.",
      already: "The destination is installed already; nothing to do.",
    }),
};

export const uninstallRudderstack: Command = {
  summary: "Takes the destination out of a built rudder-transformer",
  help: uninstallHelp,
  run: async (argv, io) =>
    run(argv, io, planRemoval, {
      done: "The destination is removed. Start the transformer anew.",
      already: "The destination is not installed there; nothing to do.",
    }),
};

/** The two files that go into the transformer, from where the package's build has them. */
async function builtFiles(): Promise<BuiltFiles> {
  const read = (name: string) => readFile(join(packageRoot(), "dist", "rudderstack", name), "utf8");
  return { transform: await read("transform.cjs"), networkHandler: await read("networkHandler.cjs") };
}

async function run(
  argv: readonly string[],
  io: Io,
  makePlan: (folder: string) => Promise<Plan>,
  messages: { readonly done: string; readonly already: string },
): Promise<ExitCode> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: { "dry-run": { type: "boolean" } },
  });
  const [folder] = positionals;
  if (folder === undefined || positionals.length > 1) {
    throw new UsageError("Give one folder: the transformer's build, /home/node/app/dist in the official image.");
  }
  try {
    const plan = await makePlan(folder);
    io.stdout.write(`rudder-transformer ${plan.version ?? "(version unknown)"} in ${plan.folder}\n`);
    for (const change of plan.changes) io.stdout.write(describe(plan, change));
    if (plan.changes.length === 0) io.stdout.write(`${messages.already}\n`);
    else if (values["dry-run"]) io.stdout.write("Nothing was changed (--dry-run).\n");
    else {
      await applyChanges(plan.changes);
      io.stdout.write(`${messages.done}\n`);
    }
    return 0;
  } catch (error) {
    if (error instanceof NotInstallable) throw new UsageError(error.message);
    throw error;
  }
}

function describe(plan: Plan, { path, before, after }: FileChange): string {
  const name = shortPath(plan, path);
  if (before === undefined) return `create ${name} (${Buffer.byteLength(after ?? "")} bytes)\n`;
  if (after === undefined) return `delete ${name}\n`;
  // A built file is one long line: the old and the new one would fill the screen.
  if (!name.endsWith("features.js"))
    return `replace ${name} (${Buffer.byteLength(before)} -> ${Buffer.byteLength(after)} bytes)\n`;
  return `change ${name}\n${createTwoFilesPatch(name, name, before, after, undefined, undefined, { context: 1 })}`;
}
