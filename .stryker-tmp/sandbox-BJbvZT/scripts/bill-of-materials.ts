// @ts-nocheck
import { readFileSync } from "node:fs";

/** A package in package-lock.json, by the folder that it is installed in. */
interface LockedPackage {
  readonly version: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

type Locked = Readonly<Record<string, LockedPackage>>;

/**
 * What ships, in CycloneDX: the packages whose code is bundled, and those that are installed with ours, in the versions
 * of package-lock.json. It says the same for the same source: no time, no serial number.
 *
 * @param bundled folders of packages below the repository's
 * @see https://cyclonedx.org/docs/1.6/json/
 */
export function billOfMaterials(bundled: readonly string[]): object {
  const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8")) as { packages: Locked };
  const { name, version, license } = JSON.parse(readFileSync("package.json", "utf8")) as Record<string, string>;
  const own = { name: name ?? "", version: version ?? "", license };
  const installed = installedWith(packages);
  const folders = [...new Set([...bundled, ...installed.keys()])].sort();
  const refs = new Map(folders.map((folder) => [folder, `${nameOf(folder)}@${packages[folder]?.version}`]));
  const refsOf = (of: readonly string[]) =>
    [...new Set(of.map((folder) => refs.get(folder)).filter((ref) => ref !== undefined))].sort();
  const ownRef = `${own.name}@${own.version}`;
  const components = folders.map((folder) => {
    const locked = packages[folder] as LockedPackage;
    const how = [...(bundled.includes(folder) ? ["bundled"] : []), ...(installed.has(folder) ? ["installed"] : [])];
    return {
      ...component(nameOf(folder), locked.version, locked.license),
      ...(locked.integrity && { hashes: [{ alg: "SHA-512", content: hexOf(locked.integrity) }] }),
      properties: how.map((value) => ({ name: `${own.name}:shipped`, value })),
    };
  });
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: { component: component(own.name, own.version, own.license) },
    // One folder per version: the same version may lie in several.
    components: [...new Map(components.map((each) => [each["bom-ref"], each])).values()],
    dependencies: [
      { ref: ownRef, dependsOn: refsOf([...bundled, ...Object.keys(packages[""]?.dependencies ?? {}).map(topLevel)]) },
      ...[...new Map(folders.map((folder) => [refs.get(folder) as string, folder]))].map(([ref, folder]) => ({
        ref,
        dependsOn: refsOf(installed.get(folder) ?? []),
      })),
    ],
  };
}

function component(name: string, version: string, license: string | undefined) {
  const [scope, base] = name.startsWith("@") ? name.split("/") : [undefined, name];
  return {
    type: "library",
    "bom-ref": `${name}@${version}`,
    ...(scope !== undefined && { group: scope }),
    name: base ?? name,
    version,
    ...(license && { licenses: [/[ ()]/.test(license) ? { expression: license } : { license: { id: license } }] }),
    purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
  };
}

/** Folders of everything that npm installs with us, and of what each of them needs. */
function installedWith(packages: Locked): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  const visit = (folder: string): readonly string[] => {
    const { dependencies, optionalDependencies } = packages[folder] as LockedPackage;
    const needs = Object.keys({ ...dependencies, ...optionalDependencies })
      .map((name) => resolve(packages, folder, name))
      .filter((needed) => needed !== undefined);
    for (const needed of needs) {
      if (found.has(needed)) continue;
      found.set(needed, []);
      found.set(needed, visit(needed));
    }
    return needs;
  };
  visit("");
  return found;
}

/** As Node.js looks for a package: in the folder's own node_modules, then further up. */
function resolve(packages: Locked, from: string, name: string): string | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(folder.lastIndexOf("/node_modules/"), 0))) {
    const candidate = folder === "" ? topLevel(name) : `${folder}/node_modules/${name}`;
    if (candidate in packages) return candidate;
    if (folder === "") return undefined;
  }
}

function topLevel(name: string): string {
  return `node_modules/${name}`;
}

function nameOf(folder: string): string {
  return folder.slice(folder.lastIndexOf("node_modules/") + "node_modules/".length);
}

function hexOf(integrity: string): string {
  return Buffer.from(integrity.replace(/^sha512-/, ""), "base64").toString("hex");
}
