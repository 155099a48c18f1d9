// @ts-nocheck
import { lstat, readdir, stat } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { type FileChange, NotInstallable, readText, unfinishedPath } from "../file-changes";
import { DESTINATION_TYPE } from "./contract";
import { addToFeatureList, removeFromFeatureList } from "./feature-list";

/** The two built files, as text. */
export interface BuiltFiles {
  readonly transform: string;
  readonly networkHandler: string;
}

/** What is to be changed in a transformer. */
export interface Plan {
  /** The folder with the transformer's compiled source, an absolute path. */
  readonly folder: string;
  /** The transformer's version, where its package.json tells it. */
  readonly version?: string;
  /** Whatever is right already is not among them. */
  readonly changes: readonly FileChange[];
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
 * @throws NotInstallable where it is no transformer that this version knows
 */
export async function planInstallation(target: string, files: BuiltFiles, version: string): Promise<Plan> {
  const build = await openBuild(target);
  const features = await readText(join(build.folder, FEATURES));
  const added = features === undefined ? undefined : addToFeatureList(features);
  if (features === undefined || added === undefined) {
    throw new NotInstallable(
      `${join(build.folder, FEATURES)} ${features === undefined ? "is missing" : "does not list destinations in a way that is known here"}. ` +
        "Without an entry in that list, events would not be delivered in batches. Known are the builds of rudder-transformer 1.84 to 1.145; " +
        "report the version that you have.",
    );
  }
  const changes: FileChange[] = [];
  for (const name of ["transform", "networkHandler"] as const) {
    const path = join(build.folder, FILES[name]);
    await refuseForeign(path);
    changes.push({ path, before: await readText(path), after: `${MARK} ${version}.\n${files[name]}` });
  }
  // The list comes last: until then the new files are not used.
  changes.push({ path: join(build.folder, FEATURES), before: features, after: added });
  return { ...build, changes: changes.filter(({ before, after }) => before !== after) };
}

/**
 * What has to change for the build to be again, to the byte, what it was before {@link planInstallation}.
 *
 * @throws NotInstallable as {@link planInstallation} does
 */
export async function planRemoval(target: string): Promise<Plan> {
  const build = await openBuild(target);
  const featuresPath = join(build.folder, FEATURES);
  const features = await readText(featuresPath);
  const changes: FileChange[] = [
    { path: featuresPath, before: features, after: features && (removeFromFeatureList(features) ?? features) },
  ];
  for (const file of Object.values(FILES)) {
    const path = join(build.folder, file);
    const text = await readText(path);
    if (text?.startsWith(MARK)) changes.push({ path, before: text });
  }
  return { ...build, changes: changes.filter(({ before, after }) => before !== after) };
}

/** A path of the plan as a user reads it. */
export function shortPath({ folder }: Plan, path: string): string {
  return relative(folder, path);
}

const GIVE = "Give the folder that the transformer's build makes; in the official image that is /home/node/app/dist.";

async function openBuild(target: string): Promise<Pick<Plan, "folder" | "version">> {
  const root = resolve(target);
  const found = await stat(root).catch(() => undefined);
  if (!found?.isDirectory())
    throw new NotInstallable(`${found ? `${root} is a file.` : `There is no folder ${root}.`} ${GIVE}`);
  for (const folder of [root, join(root, "src"), join(root, "dist", "src")]) {
    if ((await isFolder(join(folder, "v0", "destinations"))) && (await isFolder(join(folder, "v1", "destinations")))) {
      // A checkout's own source, next to which its build will be.
      if (await exists(join(folder, "features.ts"))) continue;
      return { folder, ...(await versionOf(folder)) };
    }
  }
  throw new NotInstallable(
    `${root} is no build of rudder-transformer: there is no v0/destinations and v1/destinations in it, in its src or in its dist/src. ` +
      `${GIVE} In a checkout, run npm run build first.`,
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
  const ours = [path, unfinishedPath(path)];
  const others = (await isFolder(folder))
    ? (await readdir(folder)).filter((name) => !ours.includes(join(folder, name)))
    : [folder];
  if (others.length > 0 || (text !== undefined && !text.startsWith(MARK))) {
    throw new NotInstallable(
      `${folder} exists and was not made by this installation. Remove it if it is not needed, or keep that destination instead.`,
    );
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
