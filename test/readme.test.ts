import { readFileSync } from "node:fs";
import { join } from "node:path";
import { version } from "../package.json";
import manifest from "../plugin.json";
import { withSections } from "../scripts/readme-sections";

const root = join(__dirname, "..");
const readme = readFileSync(join(root, "README.md"), "utf8");

test("the README's settings and errors are those of the source (otherwise: npm run docs)", () => {
  expect(readme).toBe(withSections(readme));
});

test("the manifest, the package and the changelog have the same version", () => {
  expect(manifest.version).toBe(version);
  expect(readFileSync(join(root, "CHANGELOG.md"), "utf8")).toMatch(
    new RegExp(`^## ${version.replaceAll(".", "\\.")}`, "m"),
  );
});

test("every link within the README leads somewhere", () => {
  const headings = [...readme.matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
    (title as string)
      .toLowerCase()
      .replace(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
  const links = [...readme.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor as string);

  expect(links.length).toBeGreaterThan(0);
  expect(links.filter((anchor) => !headings.includes(anchor))).toEqual([]);
});
