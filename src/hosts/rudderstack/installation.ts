import {
  access,
  chmod,
  constants,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  stat,
  writeFile,
} from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { DESTINATION_TYPE } from "./contract";
import { addToFeatureList, removeFromFeatureList } from "./feature-list";

/** The two built files, as text. */
export interface BuiltFiles {
  readonly transform: string;
  readonly networkHandler: string;
}

/** A change to one file of the transformer: what it holds before and after, nothing where it does not exist. */
export interface Change {
  readonly path: string;
  readonly before?: string;
  readonly after?: string;
}

/** Changes that have been looked at from all sides and are yet to be made. */
export interface Plan {
  /** The folder with the transformer's compiled source, an absolute path. */
  readonly folder: string;
  /** The transformer's version, where its package.json tells it. */
  readonly version?: string;
  readonly changes: readonly Change[];
}

/** The folder is not one that can be changed. Its message tells the user why, and what to do. */
export class InstallationError extends Error {
  override readonly name = "InstallationError";
}

const FOLDER = DESTINATION_TYPE.toLowerCase();
const FILES = {
  transform: join("v0", "destinations", FOLDER, "transform.js"),
  networkHandler: join("v1", "destinations", FOLDER, "networkHandler.js"),
} as const;
const FEATURES = "features.js";

/** First line of an installed file, by which it is known as ours. */
const MARK = "// Installed by amazon-lambda-destination";

/**
 * What has to change in a transformer's build for it to have the destination. Installing twice changes nothing; another
 * version of the destination is replaced.
 *
 * @param target the build (`dist`), the repository that holds it or the compiled source in it (`dist/src`)
 * @throws InstallationError where it is no transformer that this version knows, or cannot be written to
 */
export async function planInstallation(target: string, files: BuiltFiles, version: string): Promise<Plan> {
  const build = await openBuild(target);
  const features = await readText(join(build.folder, FEATURES));
  const added = features === undefined ? undefined : addToFeatureList(features);
  if (features === undefined || added === undefined) {
    throw new InstallationError(
      `${join(build.folder, FEATURES)} ${features === undefined ? "is missing" : "does not list destinations in a way that is known here"}. ` +
        "Without an entry in that list, events would not be delivered in batches. Known are the builds of rudder-transformer 1.84 to 1.145; " +
        "report the version that you have.",
    );
  }
  const changes: Change[] = [];
  for (const name of ["transform", "networkHandler"] as const) {
    const path = join(build.folder, FILES[name]);
    await refuseForeign(path);
    changes.push(change(path, await readText(path), `${MARK} ${version}.\n${files[name]}`));
  }
  // The list comes last: until then the new files are not used.
  changes.push(change(join(build.folder, FEATURES), features, added));
  return checked({ ...build, changes });
}

/**
 * What has to change for the build to be again, to the byte, what it was before {@link planInstallation}.
 *
 * @throws InstallationError as {@link planInstallation} does
 */
export async function planRemoval(target: string): Promise<Plan> {
  const build = await openBuild(target);
  const featuresPath = join(build.folder, FEATURES);
  const features = await readText(featuresPath);
  const changes: Change[] = [];
  if (features !== undefined) changes.push(change(featuresPath, features, removeFromFeatureList(features) ?? features));
  for (const file of Object.values(FILES)) {
    const path = join(build.folder, file);
    const text = await readText(path);
    if (text?.startsWith(MARK)) changes.push(change(path, text, undefined));
  }
  return checked({ ...build, changes });
}

/**
 * Makes the changes: each file is replaced at once, and what was done is undone where a later one fails.
 *
 * @throws InstallationError where a file cannot be written; then the folder is as it was
 */
export async function apply({ changes }: Plan): Promise<void> {
  const done: Change[] = [];
  try {
    for (const each of changes) {
      done.unshift(each);
      await write(each.path, each.after);
    }
  } catch (error) {
    for (const { path, before } of done) await write(path, before).catch(() => {});
    throw unwritable(done[0]?.path ?? "", error);
  }
}

/** A path of the plan as a user reads it. */
export function shortPath({ folder }: Plan, path: string): string {
  return relative(folder, path);
}

async function openBuild(target: string): Promise<Pick<Plan, "folder" | "version">> {
  const root = resolve(target);
  for (const folder of [root, join(root, "src"), join(root, "dist", "src")]) {
    if ((await isFolder(join(folder, "v0", "destinations"))) && (await isFolder(join(folder, "v1", "destinations")))) {
      // A checkout's own source, next to which its build will be.
      if (await exists(join(folder, "features.ts"))) continue;
      return { folder, ...(await versionOf(folder)) };
    }
  }
  throw new InstallationError(
    `${root} is no build of rudder-transformer: there is no v0/destinations and v1/destinations in it, in its src or in its dist/src. ` +
      "Give the folder that its build makes; in the official image that is /home/node/app/dist. In a checkout, run npm run build first.",
  );
}

async function versionOf(folder: string): Promise<{ version?: string }> {
  for (const up of ["..", "../.."]) {
    try {
      const { name, version } = JSON.parse((await readText(join(folder, up, "package.json"))) ?? "{}");
      if (name === "rudder-transformer" && typeof version === "string") return { version };
    } catch {
      // The version is only for show.
    }
  }
  return {};
}

/** Somebody else's destination of the same name stays as it is. */
async function refuseForeign(path: string): Promise<void> {
  const folder = dirname(path);
  if (!(await exists(folder))) return;
  const text = await readText(path);
  const ours = [path, unfinished(path)];
  const others = (await isFolder(folder))
    ? (await readdir(folder)).filter((name) => !ours.includes(join(folder, name)))
    : [folder];
  if (others.length > 0 || (text !== undefined && !text.startsWith(MARK))) {
    throw new InstallationError(
      `${folder} exists and was not made by this installation. Remove it if it is not needed, or keep that destination instead.`,
    );
  }
}

function change(path: string, before: string | undefined, after: string | undefined): Change {
  return { path, ...(before !== undefined && { before }), ...(after !== undefined && { after }) };
}

/** @throws InstallationError where a change could not be made, before any is */
async function checked(plan: Plan): Promise<Plan> {
  const changes = plan.changes.filter(({ before, after }) => before !== after);
  for (const { path } of changes) {
    let existing = dirname(path);
    while (!(await exists(existing))) existing = dirname(existing);
    try {
      await access(existing, constants.W_OK);
      if (await exists(path)) await access(path, constants.W_OK);
    } catch (error) {
      throw unwritable(path, error);
    }
  }
  return { ...plan, changes };
}

async function write(path: string, text: string | undefined): Promise<void> {
  const temporary = unfinished(path);
  if (text === undefined) {
    await rm(path, { force: true });
    await rm(temporary, { force: true });
    await rmdir(dirname(path)).catch(() => {});
    return;
  }
  await mkdir(dirname(path), { recursive: true });
  try {
    const mode = (await exists(path)) ? (await stat(path)).mode : undefined;
    await writeFile(temporary, text);
    if (mode !== undefined) await chmod(temporary, mode);
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Where a file is written before it takes its place; left behind only by a process that was killed. */
function unfinished(path: string): string {
  return `${path}.new`;
}

function unwritable(path: string, error: unknown): InstallationError {
  const { code = "unknown error" } = error as NodeJS.ErrnoException;
  return new InstallationError(
    `${path} cannot be written (${code}); nothing was changed. Run this as a user who may write there, in a Dockerfile before the file system becomes read-only.`,
  );
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw new InstallationError(`${path} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

async function isFolder(path: string): Promise<boolean> {
  return lstat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
