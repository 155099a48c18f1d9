// @ts-nocheck
import { readFileSync } from "node:fs";

/** Where secrets are that do not stand in the file itself. */
export interface SecretSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** @throws NodeJS.ErrnoException */
  readonly readFile: (path: string) => string;
}

export const processSecrets = (env: SecretSources["env"]): SecretSources => ({
  env,
  readFile: (path) => readFileSync(path, "utf8"),
});

/** What a value says, or why it says nothing: `env:NAME` and `file:PATH` stand for what is there. Neither holds a secret where it fails. */
export function secretValue(text: string, { env, readFile }: SecretSources): { value: string } | { problem: string } {
  const [, kind, place = ""] = /^(env|file):(.*)$/s.exec(text) ?? [];
  if (kind === undefined) return { value: text };
  if (kind === "env") {
    const value = env[place];
    return value ? { value } : { problem: `the environment variable ${place} is not set` };
  }
  try {
    const value = readFile(place).trim();
    return value === "" ? { problem: `the file ${place} is empty` } : { value };
  } catch (error) {
    return { problem: `the file ${place} cannot be read (${(error as NodeJS.ErrnoException).code})` };
  }
}

/** The files that values refer to, anywhere in a configuration. */
export function secretFiles(configuration: unknown): string[] {
  if (typeof configuration === "string") return configuration.startsWith("file:") ? [configuration.slice(5)] : [];
  if (configuration === null || typeof configuration !== "object") return [];
  return Object.values(configuration).flatMap(secretFiles);
}
