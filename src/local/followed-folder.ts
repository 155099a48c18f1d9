import { isDeepStrictEqual } from "node:util";
import type { JsonObject } from "../events/segment-event";
import type { OperatorPolicy } from "../settings/operator-policy";
import { parseSettings } from "../settings/settings";
import { SettingsError } from "../settings/settings-error";
import { NoFunctions } from "./handler-files";
import type { LocalAccount } from "./local-account";
import type { Source } from "./local-host";

export interface FollowedFolderOptions {
  readonly account: LocalAccount;
  readonly operator: OperatorPolicy;
  /** As they are now. */
  sources(): readonly Source[];
  /** The settings that a source has by what is in the folder; none where they come from elsewhere. */
  settingsFor(sourceId: string): JsonObject | undefined;
  change(sourceId: string, settings: JsonObject): void;
  /** Is told what is new, and what cannot be followed: a sentence each. */
  onNote(note: string): void;
}

/** Makes the account and the sources' settings follow the folder while the router runs. */
export class FollowedFolder {
  readonly #options: FollowedFolderOptions;
  #problem: string | undefined;
  /** By source: the settings that the folder made when it could last be followed. */
  #made: ReadonlyMap<string, JsonObject | undefined>;
  #turn: Promise<void> = Promise.resolve();

  constructor(options: FollowedFolderOptions) {
    this.#options = options;
    this.#made = new Map(options.sources().map(({ id }) => [id, options.settingsFor(id)]));
  }

  /** Why the folder cannot be followed as it is now. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Resolves once everything is as the folder has it now, or else as it was. */
  catchUp(): Promise<void> {
    this.#turn = this.#turn.then(() => this.#follow());
    return this.#turn;
  }

  async #follow(): Promise<void> {
    const { account, onNote } = this.#options;
    const before = { functions: account.functions, notes: account.notes };
    try {
      if (!(await account.reread())) return;
      for (const name of account.functions.keys())
        if (!before.functions.has(name)) onNote(`The function ${name} is new.`);
      for (const name of before.functions.keys())
        if (!account.functions.has(name))
          onNote(`The function ${name} is gone: there is no file of that name any more.`);
      const notes = [...account.notes, ...(await this.#followSettings())];
      for (const note of notes) if (!before.notes.includes(note)) onNote(note);
      this.#problem = undefined;
    } catch (error) {
      if (!isTheUsers(error)) throw error;
      const what = error instanceof SettingsError ? "the settings stay as they were" : "everything stays as it was";
      const problem = `${error.message} Until that is mended, ${what}.`;
      if (problem !== this.#problem) onNote(problem);
      this.#problem = problem;
    }
  }

  /** @throws SettingsError for what cannot be used, before anything is changed */
  async #followSettings(): Promise<readonly string[]> {
    const { account, operator, sources, settingsFor, change } = this.#options;
    const made = new Map(sources().map(({ id }) => [id, settingsFor(id)]));
    const changed = sources().map(({ id, settings }) => {
      return { id, settings: merged(settings, this.#made.get(id), made.get(id)) };
    });
    for (const { settings } of changed) parseSettings(settings, operator);
    for (const { id, settings } of changed) change(id, settings);
    this.#made = made;
    return account.follow(sources(), operator);
  }
}

/** What the user does to the folder, and can mend there. */
function isTheUsers(error: unknown): error is Error {
  const { code } = error as NodeJS.ErrnoException;
  return error instanceof NoFunctions || error instanceof SettingsError || code === "ENOENT" || code === "ENOTDIR";
}

/** The settings with what has changed in what they were made from; what was set by hand since stays. */
function merged(settings: JsonObject, before: JsonObject = {}, now: JsonObject = {}): JsonObject {
  const result: JsonObject = { ...settings };
  for (const key of new Set([...Object.keys(before), ...Object.keys(now)])) {
    if (!isDeepStrictEqual(settings[key], before[key])) continue;
    if (now[key] === undefined) delete result[key];
    else result[key] = now[key];
  }
  return result;
}
