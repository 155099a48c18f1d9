// @ts-nocheck
// `npm run docs`: writes the README's generated parts anew.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const bundled = await build({
  entryPoints: [path("scripts/readme-sections.ts")],
  bundle: true,
  write: false,
  format: "esm",
  platform: "node",
});
const { withSections } = await import(
  `data:text/javascript;base64,${Buffer.from(bundled.outputFiles[0].text).toString("base64")}`
);
writeFileSync(path("README.md"), withSections(readFileSync(path("README.md"), "utf8")));
