// `npm run docs`: writes the generated parts of the README and of docs/ anew.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const bundled = await build({
  entryPoints: [path("scripts/generated-sections.ts")],
  bundle: true,
  write: false,
  format: "esm",
  platform: "node",
});
const { withSections } = await import(
  `data:text/javascript;base64,${Buffer.from(bundled.outputFiles[0].text).toString("base64")}`
);
const pages = readdirSync(path("docs")).filter((name) => name.endsWith(".md"));
for (const page of ["README.md", ...pages.map((name) => `docs/${name}`)]) {
  writeFileSync(path(page), withSections(readFileSync(path(page), "utf8")));
}
