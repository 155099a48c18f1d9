// @ts-nocheck
import { execFileSync } from "node:child_process";
import { accessSync, constants, existsSync, mkdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { installApart } from "./install-apart.mjs";

const folder = new URL("../test/browser/chromium/", import.meta.url);

/** Names on the PATH, and places that are on none, of browsers that speak Chromium's protocol. */
const COMMANDS = ["google-chrome", "google-chrome-stable", "chromium", "chromium-browser", "microsoft-edge", "chrome"];
const PLACES = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  ...["ProgramFiles", "ProgramFiles(x86)", "LOCALAPPDATA"].flatMap((name) =>
    process.env[name] === undefined
      ? []
      : ["Google\\Chrome\\Application\\chrome.exe", "Microsoft\\Edge\\Application\\msedge.exe"].map((path) =>
          join(process.env[name], path),
        ),
  ),
];

/**
 * The path of a Chromium: the one named by `BROWSER_PATH`, on Linux x64 one from npm, else the system's own.
 * Nothing where there is none.
 */
export function findBrowser() {
  if (process.env.BROWSER_PATH) return process.env.BROWSER_PATH;
  if (process.platform === "linux" && process.arch === "x64") return fromNpm();
  const onPath = (process.env.PATH ?? "").split(delimiter).flatMap((path) => COMMANDS.map((name) => join(path, name)));
  return [...onPath, ...PLACES].find(isExecutable);
}

/** The package holds its browser compressed, and unpacks it into the folder for temporary files: here, one of our own. */
function fromNpm() {
  installApart(folder, "a browser for the tests (about 70 MB)");
  const unpacked = fileURLToPath(new URL("node_modules/.unpacked/", folder));
  const executable = join(unpacked, "chromium");
  if (!existsSync(executable)) {
    mkdirSync(unpacked, { recursive: true });
    const unpack = 'import("@sparticuz/chromium").then(({ default: chromium }) => chromium.executablePath())';
    execFileSync(process.execPath, ["-e", unpack], {
      cwd: fileURLToPath(folder),
      env: { ...process.env, TMPDIR: unpacked },
      stdio: ["ignore", "ignore", "inherit"],
    });
  }
  return executable;
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
