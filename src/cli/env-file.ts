import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileProblem } from "./file-problem";

/** A file that another terminal reads with `source`, to reach the AWS on this machine and no other. */
export interface EnvFile {
  readonly path: string;
  /** Beside it: the settings of the first source, for `--settings`. */
  readonly settingsPath: string;
  remove(): Promise<void>;
}

/**
 * Writes the file, and the settings beside it, for the eyes of their owner only.
 *
 * @param path where; by default in a folder of its own among the temporary files
 * @throws UsageError where it cannot be written
 */
export async function writeEnvFile(
  environment: Readonly<Record<string, string | undefined>>,
  settings: unknown,
  path?: string,
): Promise<EnvFile> {
  const folder = path === undefined ? await mkdtemp(join(tmpdir(), "amazon-lambda-")) : undefined;
  const file = path === undefined ? join(folder ?? "", "env") : resolve(path);
  const settingsPath = folder === undefined ? `${file}.settings.json` : join(folder, "settings.json");
  try {
    await writePrivately(file, envFileText(environment));
    await writePrivately(settingsPath, `${JSON.stringify(settings, null, 2)}\n`);
  } catch (error) {
    throw fileProblem("write", file, error);
  }
  return {
    path: file,
    settingsPath,
    async remove() {
      for (const each of folder === undefined ? [file, settingsPath] : [folder])
        await rm(each, { recursive: true, force: true });
    },
  };
}

async function writePrivately(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600 });
  // Where it was there before, it kept its mode.
  await chmod(path, 0o600);
}

/** For the shells that `source` knows; AWS CLIs before 2.13 and 1.29 take the endpoint as an option only. */
export function envFileText(environment: Readonly<Record<string, string | undefined>>): string {
  const lines = Object.entries(environment).map(([name, value]) =>
    value === undefined ? `unset ${name}` : `export ${name}=${shellQuoted(value)}`,
  );
  return `${lines.join("\n")}\naws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }\n`;
}

/** One word of a POSIX shell, whatever is in it. */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
