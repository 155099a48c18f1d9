// @ts-nocheck
import { mkdir, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";

/** The parts of a source checkout of Jitsu that matter, as older and newer versions lay them out. */
export type Layout = "older" | "newer";

export const LIBRARY: Readonly<Record<Layout, string>> = {
  older: "libs/core-functions",
  newer: "libs/destination-functions",
};

export const SCHEMAS = "webapps/console/lib/schema";

const index = (functionsLib: string) => `import { JitsuFunction, FuncReturn } from "@jitsu/protocols/functions";
import WebhookDestination from "./functions/webhook-destination";

// Every destination has a line here.
const builtinDestinations: Record<\`builtin.destination.\${string}\`, JitsuFunction> = {
  "builtin.destination.webhook": WebhookDestination as JitsuFunction,
  "builtin.destination.devnull": () => null,
} as const;

export function getBuiltinFunction(id: string): JitsuFunction | undefined {
  return builtinDestinations[id];
}

export * from "${functionsLib}";
`;

const destinations = (ui: string) => `import { SomeZodObject, z } from "zod";
import React, { ReactNode } from "react";

import webhookIcon from "./icons/webhook";

export type PropertyUI = {
  displayName?: string;
  password?: boolean;
${ui}
  documentation?: string;
};

export const CloudDestinationsConnectionOptions = z.object({
  multithreading: z.boolean().optional(),
});

export type DestinationType<T = any> = {
  id: string;
  title: string;
  tags: string | string[];
  credentials: SomeZodObject;
  connectionOptions: SomeZodObject;
  credentialsUi?: Record<string, PropertyUI>;
  icon?: ReactNode;
  description: ReactNode;
};

const tagDestination = {
  id: "tag",
  title: "Tag",
  tags: "Device Destinations",
  description: "Inserts HTML into a page.",
  credentials: z.object({ code: z.string() }),
  connectionOptions: z.object({}),
};

export const coreDestinations: DestinationType<any>[] = [
  tagDestination,
  {
    id: "webhook",
    connectionOptions: CloudDestinationsConnectionOptions,
    icon: webhookIcon,
    title: "Webhook",
    tags:    "Special",
    credentials: z.object({ url: z.string().url() }),
    description: <>Send data to any <b>HTTP</b> endpoint.</>,
  },
];

export const coreDestinationsMap = Object.fromEntries(coreDestinations.map(d => [d.id, d]));
`;

const library = (name: string) => `{
  "name": "${name}",
  "version": "0.0.0",
  "private": false,
  "scripts": { "build": "tsc -p ." },
  "dependencies": {
    "agentkeepalive": "4.3.0",
    "juava": "workspace:*",
    "zod": "^3.23.8"
  }
}
`;

const FILES: Readonly<Record<Layout, Readonly<Record<string, string>>>> = {
  older: {
    "libs/core-functions/package.json": library("@jitsu/core-functions"),
    "libs/core-functions/src/index.ts": index("./functions/lib/index"),
    [`${SCHEMAS}/destinations.tsx`]: destinations("  hidden?: boolean;"),
  },
  newer: {
    "libs/core-functions-lib/src/index.ts": "export {};\n",
    "libs/destination-functions/package.json": library("@jitsu/destination-functions"),
    "libs/destination-functions/src/index.ts": index("@jitsu/core-functions-lib"),
    [`${SCHEMAS}/destinations.tsx`]: destinations(
      "  placeholder?: string;\n  hidden?: boolean | ((obj: any) => boolean);",
    ),
  },
};

/** Writes a checkout to a folder of its own, some files otherwise than usual: the folder. */
export async function makeCheckout(
  layout: Layout,
  changed: Readonly<Record<string, (text: string) => string>> = {},
): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "jitsu-"));
  for (const [file, text] of Object.entries(FILES[layout])) {
    const path = join(root, file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, changed[file]?.(text) ?? text);
  }
  return root;
}

/** Every file with its text. */
export async function snapshot(root: string): Promise<Record<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const texts = files.map(async (path) => [relative(root, path), await readFile(path, "utf8")] as const);
  return Object.fromEntries((await Promise.all(texts)).sort());
}
