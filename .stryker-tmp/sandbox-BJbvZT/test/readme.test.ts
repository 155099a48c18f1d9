// @ts-nocheck
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
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

/** What would have somebody fetch whatever the registry has under our name: `npx` and `npm` of a bare name, no file. */
const FETCHES_OUR_NAME =
  /\b(?:npx|pnpx|bunx|(?:npm|pnpm|yarn|bun) +(?:install|i|add|pack|exec|x|dlx|create|view))\b(?![^\n]*--package=\/)[^\n|;&#]*? amazon-lambda-destination(?![\w.*-]*\.tgz)/;

test.each([
  "npx amazon-lambda-destination check",
  "npx --yes amazon-lambda-destination@latest",
  "npm install amazon-lambda-destination",
  "npm pack amazon-lambda-destination && tar xzf amazon-lambda-destination-*.tgz",
])("%s would fetch a stranger's package", (command) => {
  expect(command).toMatch(FETCHES_OUR_NAME);
});

test("while the package is not on npm, nothing tells anybody to fetch it from there", () => {
  const told = [
    ...readdirSync(root).filter((name) => /\.(?:md|json)$/.test(name)),
    ...[".github", "docs", "src", "schemas", "templates", "examples"].flatMap(filesIn),
  ].filter((file) => FETCHES_OUR_NAME.test(readFileSync(join(root, file), "utf8")));

  expect(told).toEqual([]);
});

function filesIn(folder: string): string[] {
  const path = join(root, folder);
  if (!existsSync(path)) return [];
  return (readdirSync(path, { recursive: true }) as string[])
    .map((name) => join(folder, name))
    .filter((name) => !name.includes("node_modules") && statSync(join(root, name)).isFile());
}
