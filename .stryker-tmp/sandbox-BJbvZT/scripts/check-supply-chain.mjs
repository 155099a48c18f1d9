// @ts-nocheck
// What users get that is not ours: known vulnerabilities, licences, the bill of materials, and whether a second build gives the same package.
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Spec, Validation } from "@cyclonedx/cyclonedx-library";

const root = fileURLToPath(new URL("..", import.meta.url));
const LICENCES = ["MIT", "ISC", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "BlueOak-1.0.0"];
let failed = false;

function told(ok, what) {
  process.stdout.write(`${ok ? "ok" : "FAILED"}: ${what}\n`);
  if (!ok) failed = true;
}

function run(command, args, env = {}) {
  execFileSync(command, args, { cwd: root, stdio: ["ignore", "ignore", "inherit"], env: { ...process.env, ...env } });
}

/** Builds and packs, and gives the package's hash. */
function packed() {
  const folder = mkdtempSync(join(tmpdir(), "amazon-lambda-destination-"));
  try {
    run("npm", ["run", "--silent", "build"]);
    const options = ["--json", "--ignore-scripts", "--pack-destination", folder];
    const [{ filename }] = JSON.parse(execFileSync("npm", ["pack", ...options], { cwd: root, encoding: "utf8" }));
    return createHash("sha256")
      .update(readFileSync(join(folder, filename)))
      .digest("hex");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const [one, other] = [packed(), packed()];
told(one === other, `two builds give the same package (SHA-256 ${one}${one === other ? "" : ` and ${other}`})`);

const text = readFileSync(join(root, "dist/sbom.cdx.json"), "utf8");
const problem = await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(text);
told(problem === null, `dist/sbom.cdx.json is CycloneDX 1.6${problem === null ? "" : `: ${JSON.stringify(problem)}`}`);

const { components } = JSON.parse(text);
const nameOf = ({ group, name }) => (group ? `${group}/${name}` : name);
const bad = components.filter(({ licenses }) => !licenses?.every(({ license }) => LICENCES.includes(license?.id)));
told(
  components.length > 0 && bad.length === 0,
  `${components.length} packages ship, all under ${LICENCES.join(", ")}${bad.length === 0 ? "" : `, but for ${bad.map((each) => `${nameOf(each)} (${JSON.stringify(each.licenses)})`).join(", ")}`}`,
);

const reasons = readFileSync(join(root, "docs/dependencies.md"), "utf8");
const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const bundled = components.filter(({ properties }) => properties.some(({ value }) => value === "bundled")).map(nameOf);
// What those need in turn is theirs to explain.
const direct = [...Object.keys(dependencies), ...bundled.filter((name) => name in devDependencies)];
const unexplained = [...new Set(direct)].filter((name) => !reasons.includes(`\`${name}\``));
told(
  unexplained.length === 0,
  `docs/dependencies.md has the reason for each${unexplained.length === 0 ? "" : `, but for ${unexplained.join(", ")}`}`,
);

const shipped = new Set(components.map(nameOf));
const { stdout } = spawnSync("npm", ["audit", "--json"], { cwd: root, encoding: "utf8" });
const { vulnerabilities } = JSON.parse(stdout || "{}");
if (vulnerabilities) {
  const found = Object.values(vulnerabilities)
    .filter(({ name, severity }) => shipped.has(name) && ["high", "critical"].includes(severity))
    .map(({ name, severity }) => `${name} (${severity})`);
  told(
    found.length === 0,
    `npm audit knows nothing of high severity in what ships${found.length === 0 ? "" : `, but ${found.join(", ")}`}`,
  );
} else {
  process.stdout.write(
    `not checked: the registry has no advisories for npm audit (${JSON.parse(stdout || "{}").message ?? "no answer"})\n`,
  );
}

process.exitCode = failed ? 1 : 0;
