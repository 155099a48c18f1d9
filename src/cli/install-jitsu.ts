import { relative } from "node:path";
import { parseArgs } from "node:util";
import { createTwoFilesPatch } from "diff";
import { version } from "../../package.json";
import { applyChanges, NotInstallable } from "../hosts/file-changes";
import { type JitsuPlan, planInstallation, planRemoval } from "../hosts/jitsu/install";
import { type Command, type ExitCode, type Io, UsageError } from "./command";

const installHelp = `Usage: amazon-lambda-destination install jitsu <checkout> [--dry-run] [--package <specifier>]

Adds the destination to a source checkout of Jitsu 2: this package as a dependency, its function among the built-in
destinations (builtin.destination.amazon-lambda) and its form in the console. Build Jitsu as usual afterwards.

  <checkout>              the root of the repository
  --dry-run               shows every change as a diff and makes none
  --package <specifier>   where Jitsu gets this package from, as in a package.json (default: ^${version})
  --help

Installing again is harmless; another version of the destination is replaced. A Jitsu that is not built from source takes
the destination as a function: see "Deploying to a running Jitsu" in the README.
Exit codes: 0 installed, 2 not possible (the message says why; nothing was changed).
`;

const uninstallHelp = `Usage: amazon-lambda-destination uninstall jitsu <checkout> [--dry-run]

Takes the destination out of a source checkout of Jitsu 2.

  <checkout>   as for install
  --dry-run    shows every change as a diff and makes none
  --help
`;

export const installJitsu: Command = {
  summary: "Adds the destination to a source checkout of Jitsu",
  help: installHelp,
  run: (argv, io) =>
    run(
      argv,
      io,
      { package: { type: "string" } },
      (checkout, specifier) => planInstallation(checkout, { version, ...(specifier && { specifier }) }),
      {
        done: "The destination is installed. Run pnpm install, then build Jitsu as usual.",
        already: "The destination is installed already; nothing to do.",
      },
    ),
};

export const uninstallJitsu: Command = {
  summary: "Takes the destination out of a source checkout of Jitsu",
  help: uninstallHelp,
  run: (argv, io) =>
    run(argv, io, {}, planRemoval, {
      done: "The destination is removed. Run pnpm install, then build Jitsu as usual.",
      already: "The destination is not installed there; nothing to do.",
    }),
};

async function run(
  argv: readonly string[],
  io: Io,
  options: { package?: { type: "string" } },
  makePlan: (checkout: string, specifier: string | undefined) => Promise<JitsuPlan>,
  messages: { readonly done: string; readonly already: string },
): Promise<ExitCode> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: { "dry-run": { type: "boolean" }, ...options },
  });
  const [checkout] = positionals;
  if (checkout === undefined || positionals.length > 1) {
    throw new UsageError("Give one folder: the root of a source checkout of Jitsu.");
  }
  try {
    const plan = await makePlan(checkout, values.package as string | undefined);
    io.stdout.write(`Jitsu in ${plan.root}, destination functions in ${plan.library}\n`);
    for (const { path, before, after } of plan.changes) {
      const file = relative(plan.root, path);
      io.stdout.write(`${before === undefined ? "create" : after === undefined ? "delete" : "change"} ${file}\n`);
      if (values["dry-run"]) io.stdout.write(diff(file, before, after));
    }
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

/** Fit for `patch -p1`. */
function diff(file: string, before: string | undefined, after: string | undefined): string {
  const name = (side: string, text: string | undefined) => (text === undefined ? "/dev/null" : `${side}/${file}`);
  return createTwoFilesPatch(name("a", before), name("b", after), before ?? "", after ?? "", "", "", { context: 3 });
}
