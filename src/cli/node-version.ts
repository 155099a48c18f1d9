import { engines } from "../../package.json";

/** Ends the process in an older Node.js, before anything is loaded that would break there in words nobody understands. */
const least = Number.parseInt(engines.node.replace(/^\D+/, ""), 10);
if (Number.parseInt(process.versions.node, 10) < least) {
  process.stderr.write(
    `amazon-lambda-destination needs Node.js ${least} or newer, and this is ${process.version}: install one from https://nodejs.org and try again.\n`,
  );
  process.exit(2);
}
