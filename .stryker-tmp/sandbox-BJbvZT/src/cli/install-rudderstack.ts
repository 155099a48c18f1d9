// @ts-nocheck
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createTwoFilesPatch } from "diff";
import { version } from "../../package.json";
import type { FileChange } from "../hosts/file-changes";
import {
  type BuiltFiles,
  type Plan,
  planInstallation,
  planRemoval,
  shortPath,
} from "../hosts/rudderstack/installation";
import type { Command } from "./command";
import { changeFolder, type FolderChanges } from "./folder-changes";
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

const FOLDER = "the transformer's build, /home/node/app/dist in the official image";

export const installRudderstack: Command = {
  summary: "Adds the destination to a built rudder-transformer",
  help: installHelp,
  run: (argv, io) =>
    changeFolder(argv, io, {
      folder: FOLDER,
      done: "The destination is installed. Start the transformer anew.",
      already: "The destination is installed already; nothing to do.",
      plan: async (folder) => shown(await planInstallation(folder, await builtFiles(), version)),
    }),
};

export const uninstallRudderstack: Command = {
  summary: "Takes the destination out of a built rudder-transformer",
  help: uninstallHelp,
  run: (argv, io) =>
    changeFolder(argv, io, {
      folder: FOLDER,
      done: "The destination is removed. Start the transformer anew.",
      already: "The destination is not installed there; nothing to do.",
      plan: async (folder) => shown(await planRemoval(folder)),
    }),
};

/** The two files that go into the transformer, from where the package's build has them. */
async function builtFiles(): Promise<BuiltFiles> {
  const read = (name: string) => readFile(join(packageRoot(), "dist", "rudderstack", name), "utf8");
  return { transform: await read("transform.cjs"), networkHandler: await read("networkHandler.cjs") };
}

function shown(plan: Plan): FolderChanges {
  return {
    heading: `rudder-transformer ${plan.version ?? "(version unknown)"} in ${plan.folder}`,
    changes: plan.changes,
    describe: (change) => describe(plan, change),
  };
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
