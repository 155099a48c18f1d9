import { relative } from "node:path";
import { createTwoFilesPatch } from "diff";
import { version } from "../../package.json";
import { type JitsuPlan, planInstallation, planRemoval } from "../hosts/jitsu/install";
import { type Command, UsageError } from "./command";
import { changeFolder, type FolderChanges } from "./folder-changes";
import { operatorPolicy } from "./operator-policy";

const installHelp = `Usage: amazon-lambda-destination install jitsu <checkout> --package <specifier> [--dry-run]

Adds the destination to a source checkout of Jitsu 2: this package as a dependency, its function among the built-in
destinations (builtin.destination.amazon-lambda) and its form in the console. Build Jitsu as usual afterwards.

  <checkout>              the root of the repository
  --package <specifier>   where Jitsu gets this package from, as in a package.json: file:../../amazon-lambda-destination.tgz
                          for what npm pack made, put into the checkout's root (the package is not on npm)
  --dry-run               shows every change as a diff and makes none
  --help

The form's Timeout (ms) goes up to AMAZON_LAMBDA_MAX_TIMEOUT_MS of the environment, as the rotor has it, or 8000.

Installing again is harmless; another version of the destination is replaced. A Jitsu that is not built from source takes
the destination as a function: see docs/jitsu.md.
Exit codes: 0 installed, 2 not possible (the message says why; nothing was changed).
`;

const uninstallHelp = `Usage: amazon-lambda-destination uninstall jitsu <checkout> [--dry-run]

Takes the destination out of a source checkout of Jitsu 2.

  <checkout>   as for install
  --dry-run    shows every change as a diff and makes none
  --help
`;

/** A package of this name on npm would be somebody else's. */
const NEEDS_PACKAGE =
  "--package is needed: where Jitsu gets this package from, which is not on npm. Put the file that npm pack makes into the checkout's root and give --package file:../../<its name>.";

const FOLDER = "the root of a source checkout of Jitsu";

export const installJitsu: Command = {
  summary: "Adds the destination to a source checkout of Jitsu",
  help: installHelp,
  run: (argv, io) =>
    changeFolder(argv, io, {
      folder: FOLDER,
      options: ["package"],
      done: "The destination is installed. Run pnpm install, then build Jitsu as usual.",
      already: "The destination is installed already; nothing to do.",
      plan: async (checkout, { package: specifier }) => {
        if (!specifier) throw new UsageError(NEEDS_PACKAGE);
        return shown(
          await planInstallation(checkout, { version, specifier, maxTimeoutMs: operatorPolicy(io).maxTimeoutMs }),
        );
      },
    }),
};

export const uninstallJitsu: Command = {
  summary: "Takes the destination out of a source checkout of Jitsu",
  help: uninstallHelp,
  run: (argv, io) =>
    changeFolder(argv, io, {
      folder: FOLDER,
      done: "The destination is removed. Run pnpm install, then build Jitsu as usual.",
      already: "The destination is not installed there; nothing to do.",
      plan: async (checkout) => shown(await planRemoval(checkout)),
    }),
};

function shown({ root, library, changes }: JitsuPlan): FolderChanges {
  return {
    heading: `Jitsu in ${root}, destination functions in ${library}`,
    changes,
    describe({ path, before, after }, dryRun) {
      const file = relative(root, path);
      const line = `${before === undefined ? "create" : after === undefined ? "delete" : "change"} ${file}\n`;
      return dryRun ? line + diff(file, before, after) : line;
    },
  };
}

/** Fit for `patch -p1`. */
function diff(file: string, before: string | undefined, after: string | undefined): string {
  const name = (side: string, text: string | undefined) => (text === undefined ? "/dev/null" : `${side}/${file}`);
  return createTwoFilesPatch(name("a", before), name("b", after), before ?? "", after ?? "", "", "", { context: 3 });
}
