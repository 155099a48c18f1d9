// `npm run release` rehearses a release in a clone, up to the upload; `-- --go` then leaves its commit and tag here.
// `-- --tagged v1.2.3 --out <folder>` is the upload's part: the tarball, its bill of materials and notes of a tagged commit.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));
const USAGE = `Usage: npm run release [-- --go]
       npm run release -- --tagged <tag> --out <folder>

  --go            leaves the commit and the tag of the release in this checkout; pushing them starts the upload
  --tagged <tag>  writes what is uploaded for a tag that is checked out
  --out <folder>  where to
`;

const read = (folder, file) => readFileSync(join(folder, file), "utf8");
const json = (folder, file) => JSON.parse(read(folder, file));
const output = (folder, command, ...args) => execFileSync(command, args, { cwd: folder, encoding: "utf8" }).trim();

/** One line of the check-list: what must be true, and how that is found out. Ends the release where it is not. */
function check(what, act) {
  process.stdout.write(`… ${what}`);
  const clear = process.stdout.isTTY ? "\r" : "\n";
  try {
    const found = act();
    process.stdout.write(`${clear}✓ ${what}${found ? `: ${found}` : ""}\n`);
    return found;
  } catch (error) {
    process.stdout.write(`${clear}✗ ${what}\n`);
    process.stderr.write(
      `${[error.message, error.stdout, error.stderr].filter(Boolean).join("\n")}\nNothing was released.\n`,
    );
    process.exit(1);
  }
}

function must(condition, otherwise) {
  if (!condition) throw new Error(otherwise);
}

/** What the changelog says of a version. */
function notesOf(folder, version) {
  const [, notes] = read(folder, "CHANGELOG.md").split(new RegExp(`^## ${version.replaceAll(".", "\\.")}$`, "m"));
  must(notes, `CHANGELOG.md has no "## ${version}".`);
  return notes.split(/^## /m)[0].trim();
}

/** Writes the version of package.json wherever else it stands. */
function spreadVersion(folder, version) {
  const plugin = read(folder, "plugin.json").replace(/"version": "[^"]*"/, `"version": "${version}"`);
  writeFileSync(join(folder, "plugin.json"), plugin);
  const lock = json(folder, "package-lock.json");
  lock.version = version;
  lock.packages[""].version = version;
  writeFileSync(join(folder, "package-lock.json"), `${JSON.stringify(lock, null, 2)}\n`);
}

/** Packs what is built, and gives the tarball's path. */
function packInto(folder, target) {
  mkdirSync(target, { recursive: true });
  const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", target];
  const [{ filename }] = JSON.parse(output(folder, "npm", ...args));
  return join(target, filename);
}

function checkBillOfMaterials(folder, version) {
  const { metadata, components } = json(folder, "dist/sbom.cdx.json");
  must(metadata.component.version === version, `dist/sbom.cdx.json is of ${metadata.component.version}.`);
  return `${components.length} packages`;
}

function rehearse(go) {
  check("Nothing is left uncommitted", () => {
    const left = output(root, "git", "status", "--porcelain");
    must(left === "", left);
  });
  const branch = output(root, "git", "rev-parse", "--abbrev-ref", "HEAD");
  if (go) check("This is main", () => must(branch === "main", `This is ${branch}.`));

  const scratch = mkdtempSync(join(tmpdir(), "release-"));
  const clone = join(scratch, "clone");
  try {
    check("A clean clone installs", () => {
      output(scratch, "git", "clone", "--quiet", "--no-tags", root, clone);
      output(clone, "npm", "ci", "--prefer-offline");
    });
    const version = check("Changesets give the version and the changelog", () => {
      const told = readdirSync(join(clone, ".changeset")).filter(
        (name) => name.endsWith(".md") && name !== "README.md",
      );
      must(told.length > 0, "There is no changeset: nothing to release.");
      output(clone, "npx", "--no-install", "changeset", "version");
      const { version: next } = json(clone, "package.json");
      must(notesOf(clone, next).length > 0, "The changelog says nothing.");
      return next;
    });
    check("The version is the same everywhere", () => {
      spreadVersion(clone, version);
      output(clone, "npx", "--no-install", "biome", "format", "--write", "package.json", "plugin.json");
      must(json(clone, "plugin.json").version === version, "plugin.json has another one.");
    });
    check("The tag is new", () =>
      must(output(root, "git", "tag", "--list", `v${version}`) === "", `v${version} is there.`),
    );
    check("It builds", () => void output(clone, "npm", "run", "--silent", "build"));
    for (const [what, script] of [
      ["Package, entry points and types are sound", "check:package"],
      ["Public types are those of the API report", "check:api"],
      ["Sizes are within their limits", "check:size"],
      ["Two builds are one; licences, reasons and bill of materials are right", "check:supply-chain"],
    ]) {
      check(what, () => void output(clone, "npm", "run", "--silent", script));
    }
    check("The bill of materials is of this version", () => checkBillOfMaterials(clone, version));
    const tarball = packInto(clone, join(scratch, "out"));
    const { publishConfig, repository } = json(clone, "package.json");
    const open = [];
    if (!repository) open.push("package.json names no repository, without which npm signs no provenance");
    if (go) check("Nothing is open", () => must(open.length === 0, open.join("\n")));
    check("npm would take it, with provenance", () => {
      must(publishConfig?.provenance === true, "publishConfig.provenance is not set.");
      output(clone, "npm", "publish", tarball, "--dry-run", "--ignore-scripts", "--access", "public");
      return tarball.split(/[\\/]/).at(-1);
    });
    check("Commit and tag", () => {
      output(clone, "git", "add", "--all");
      output(clone, "git", ...author(), "commit", "--quiet", "--message", `Release ${version}`);
      output(clone, "git", ...author(), "tag", "--annotate", `v${version}`, "--message", notesOf(clone, version));
      return `v${version}`;
    });
    if (!go) {
      for (const each of open) process.stdout.write(`! Still open: ${each}\n`);
      process.stdout.write(`Rehearsed up to the upload: ${version}. On main, npm run release -- --go does it.\n`);
      return;
    }
    output(root, "git", "pull", "--quiet", "--ff-only", clone, "HEAD");
    output(root, "git", "fetch", "--quiet", clone, "tag", `v${version}`);
    process.stdout.write(
      `v${version} is committed and tagged here. git push --follow-tags starts the upload (.github/workflows/release.yml).\n`,
    );
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The identity that git has here, for the clone. */
function author() {
  return ["user.name", "user.email"].flatMap((key) => ["-c", `${key}=${output(root, "git", "config", key)}`]);
}

function writeUpload(tag, out) {
  const { version } = json(root, "package.json");
  check("The tag is the version", () => must(tag === `v${version}`, `The tag is ${tag}, the version ${version}.`));
  check("No changeset is left over", () => {
    const left = readdirSync(join(root, ".changeset")).filter((name) => name.endsWith(".md"));
    must(left.length === 0, left.join(", "));
  });
  check("The bill of materials is of this version", () => checkBillOfMaterials(root, version));
  check("What is uploaded", () => {
    const tarball = packInto(root, resolve(out));
    copyFileSync(join(root, "dist/sbom.cdx.json"), join(out, "sbom.cdx.json"));
    writeFileSync(join(out, "notes.md"), `${notesOf(root, version)}\n`);
    return tarball;
  });
}

try {
  const { values } = parseArgs({
    options: {
      go: { type: "boolean" },
      tagged: { type: "string" },
      out: { type: "string" },
      help: { type: "boolean" },
    },
  });
  if (values.help) process.stdout.write(USAGE);
  else if (values.tagged && values.out) writeUpload(values.tagged, values.out);
  else if (values.tagged || values.out) throw new Error("--tagged and --out belong together.");
  else rehearse(values.go ?? false);
} catch (error) {
  process.stderr.write(`${error.message}\n${USAGE}`);
  process.exitCode = 2;
}
