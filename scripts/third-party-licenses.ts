import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Plugin } from "esbuild";

const packages = new Map<string, string>();

/** Writes the licences of the packages whose code is bundled, as those licences demand, to one file. */
export function thirdPartyLicenses(target: string): Plugin {
  return {
    name: "third-party-licenses",
    setup(build) {
      build.initialOptions.metafile = true;
      build.onEnd(({ metafile }) => {
        for (const { inputs } of Object.values(metafile?.outputs ?? {})) {
          for (const [input, { bytesInOutput }] of Object.entries(inputs)) if (bytesInOutput > 0) note(input);
        }
        mkdirSync(dirname(target), { recursive: true });
        writeFileSync(
          target,
          [...packages.keys()]
            .sort()
            .map((name) => packages.get(name))
            .join(`\n\n${"-".repeat(80)}\n\n`),
        );
      });
    },
  };
}

function note(input: string): void {
  const [folder] = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input) ?? [];
  if (folder === undefined) return;
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Record<
    string,
    string
  >;
  const file = readdirSync(folder).find((entry) => /^(?:licen[cs]e|copying)/i.test(entry));
  const text =
    file && existsSync(join(folder, file)) ? readFileSync(join(folder, file), "utf8").trim() : `License: ${license}`;
  packages.set(`${name}@${version}`, `${name} ${version}\n\n${text}`);
}
