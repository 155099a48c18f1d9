// @ts-nocheck
import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { BuiltFiles } from "../../../../src/hosts/rudderstack/installation";

/** The list of features as TypeScript compiles it in the transformer from 1.141.4 on. */
export const CAPABILITIES = `"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
const destinationCapabilities = {
    AM: { routerTransform: true, regulations: true },
    ALGOLIA: { routerTransform: true, cdkV2: true },
    ZAPIER: { cdkV2: true },
};
const defaultFeaturesConfig = {
    routerTransform: Object.fromEntries(Object.entries(destinationCapabilities).filter(([, can]) => can.routerTransform).map(([name]) => [name, true])),
    supportTransformerProxyV1: true,
};
exports.default = defaultFeaturesConfig;
//# sourceMappingURL=features.js.map
`;

/** The list of features of the transformer from 1.84 to 1.141.3. */
export const FEATURE_MAP = `"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
const defaultFeaturesConfig = {
    routerTransform: {
        MARKETO: true,
        HS: true,
    },
    regulations: ['BRAZE'],
    supportTransformerProxyV1: true,
};
exports.default = defaultFeaturesConfig;
`;

/** Stands in for the package from which the transformer has its error classes. */
const INTEGRATIONS_LIB = `class BaseError extends Error {
  constructor(message, status = 400, statTags = {}) {
    super(message);
    Object.assign(this, { status, statTags, destinationResponse: "", authErrorCategory: "" });
  }
}
module.exports = { BaseError };
`;

/** A transformer's build with nothing in it but what an installation touches and the test host needs; its root folder. */
export async function makeBuild(features: string = CAPABILITIES): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "transformer-"));
  const files = {
    "dist/package.json": JSON.stringify({ name: "rudder-transformer", version: "1.145.0" }),
    "dist/src/features.js": features,
    "dist/src/v0/destinations/am/transform.js": "exports.process = () => ({});\n",
    "dist/src/v1/destinations/am/networkHandler.js": "exports.networkHandler = class {};\n",
    "node_modules/@rudderstack/integrations-lib/package.json": '{"main":"build/index.js"}',
    "node_modules/@rudderstack/integrations-lib/build/index.js": INTEGRATIONS_LIB,
    // A copy that another package brings along, with classes of its own.
    "node_modules/engine/index.js": 'require("@rudderstack/integrations-lib");',
    "node_modules/engine/node_modules/@rudderstack/integrations-lib/package.json": '{"main":"build/index.js"}',
    "node_modules/engine/node_modules/@rudderstack/integrations-lib/build/index.js": INTEGRATIONS_LIB,
  };
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

/** The two files as `npm run build` leaves them. */
export async function readBuiltFiles(): Promise<BuiltFiles> {
  const folder = join(__dirname, "..", "..", "..", "..", "dist", "rudderstack");
  return {
    transform: await readFile(join(folder, "transform.cjs"), "utf8"),
    networkHandler: await readFile(join(folder, "networkHandler.cjs"), "utf8"),
  };
}
