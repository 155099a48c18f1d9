// The public types, as reports that are reviewed like code: `npm run api` writes api/*.api.md from the built declarations,
// `npm run check:api` fails where they are no longer what those reports say.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Extractor, ExtractorConfig } from "@microsoft/api-extractor";

const root = fileURLToPath(new URL("..", import.meta.url));
const check = process.argv.includes("--check");
const scratch = mkdtempSync(join(tmpdir(), "api-report-"));

/** The package's entry points with types, as "exports" in package.json has them. */
const ENTRIES = ["index", "jitsu", "function"];

function reportOf(entry) {
  const config = ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: join(root, "package.json"),
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: join(root, `dist/${entry}.d.ts`),
      newlineKind: "lf",
      compiler: { tsconfigFilePath: join(root, "tsconfig.json"), skipLibCheck: true },
      apiReport: {
        enabled: true,
        reportFileName: `${entry}.api.md`,
        reportFolder: join(root, "api"),
        reportTempFolder: scratch,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        extractorMessageReporting: { default: { logLevel: "none" } },
        tsdocMessageReporting: { default: { logLevel: "none" } },
        compilerMessageReporting: { default: { logLevel: "error" } },
      },
    },
  });
  return Extractor.invoke(config, {
    localBuild: !check,
    showVerboseMessages: false,
    messageCallback: (message) => {
      // What follows is said once, in our own words.
      message.handled = message.logLevel !== "error" || message.messageId.startsWith("console-api-report");
    },
  });
}

try {
  const changed = ENTRIES.filter((entry) => {
    const { apiReportChanged, errorCount } = reportOf(entry);
    if (errorCount > 0) process.exitCode = 1;
    return apiReportChanged;
  });
  if (changed.length === 0) {
    process.stdout.write("The public types are those of api/.\n");
  } else if (check) {
    process.stderr.write(
      `The public types are no longer those of ${changed.map((entry) => `api/${entry}.api.md`).join(", ")}. If that is meant, run npm run build && npm run api, commit the reports, and tell users in a changeset.\n`,
    );
    process.exitCode = 1;
  } else {
    process.stdout.write(`Written anew: ${changed.map((entry) => `api/${entry}.api.md`).join(", ")}\n`);
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
