// @ts-nocheck
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Plugin } from "esbuild";
import { billOfMaterials } from "./bill-of-materials";

/** Folders of the packages whose code is bundled, by name and version. */
const bundled = new Map<string, string>();

/** Tells what ships that is not ours: the licences of the packages whose code is bundled, as those licences demand, and a CycloneDX SBOM. */
export function shippedPackages(targets: { readonly licenses: string; readonly sbom: string }): Plugin {
  return {
    name: "shipped-packages",
    setup(build) {
      build.initialOptions.metafile = true;
      build.onEnd(({ metafile }) => {
        for (const { inputs } of Object.values(metafile?.outputs ?? {})) {
          for (const [input, { bytesInOutput }] of Object.entries(inputs)) if (bytesInOutput > 0) note(input);
        }
        const folders = [...bundled.keys()].sort().map((name) => bundled.get(name) as string);
        write(targets.licenses, folders.map(licenseOf).join(`\n\n${"-".repeat(80)}\n\n`));
        write(targets.sbom, `${JSON.stringify(billOfMaterials(folders), null, 2)}\n`);
      });
    },
  };
}

function note(input: string): void {
  const [folder] = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input) ?? [];
  if (folder === undefined) return;
  const { name, version } = manifestOf(folder);
  bundled.set(`${name}@${version}`, folder);
}

function licenseOf(folder: string): string {
  const { name, version, license } = manifestOf(folder);
  const file = readdirSync(folder).find((entry) => /^(?:licen[cs]e|copying)/i.test(entry));
  const text = file ? readFileSync(join(folder, file), "utf8").trim() : `License: ${license}`;
  return `${name} ${version}\n\n${text}`;
}

function manifestOf(folder: string): Readonly<Record<string, string>> {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Record<string, string>;
}

function write(target: string, text: string): void {
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, text);
}
