// @ts-nocheck
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { FunctionName } from "./arn";
import type { Handler } from "./handler-context";
import { InProcessRuntime } from "./in-process-runtime";
import { type Policy, type PolicyDocument, parsePolicy } from "./policy";
import type { FunctionSettings, Runtime } from "./runtime";
import { ServiceError } from "./service-error";
import { TenantRuntimes } from "./tenant-runtimes";
import { WorkerRuntime } from "./worker-runtime";

/** Where a version's code comes from: exactly one of the three. */
export type FunctionCode =
  /**
   * A handler file (.mjs, .cjs, .js), run in worker threads; loaded afresh when it has changed, or where a folder is
   * given, when anything in that has.
   */
  | { readonly file: string; readonly folder?: string }
  /** Text of an ES module, run in worker threads. */
  | { readonly source: string }
  /** A JavaScript function, run in this process: fast, but neither isolated nor interruptible. */
  | { readonly handler: Handler };

export type FunctionOptions = FunctionCode & {
  readonly name: string;
  /** Name of the export in the file or source; `handler` by default. */
  readonly exportName?: string;
  /** 3000 by default, as at AWS; in real time, whatever the clock says. */
  readonly timeoutMs?: number;
  /** 128 by default; in worker threads the limit of the heap. */
  readonly memoryMb?: number;
  /**
   * Reserved concurrency: how many runs there may be at once, others are throttled. Without it only the account's limit
   * counts, and a file or source gets 16 worker threads at most, for which further runs wait.
   */
  readonly concurrency?: number;
  /** Tenant isolation mode: invoked with a tenant ID only, and each tenant gets environments of its own. */
  readonly tenantIsolation?: boolean;
  /**
   * A durable function, which runs once per execution name: `true`, or how many milliseconds a closed execution is
   * remembered (14 days by default, as at AWS). Its handler is an ordinary one; steps and waits are not modelled.
   */
  readonly durable?: boolean | { readonly retentionMs: number };
  readonly region?: string;
  readonly account?: string;
  /** `process.env` of the function beside what Lambda sets; nothing of this process's own environment is handed on. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Published versions by number, besides `$LATEST`. */
  readonly versions?: Readonly<Record<string, FunctionCode>>;
  /** Alias names to version numbers. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** Who may invoke beyond the identity-based policies; needed for callers of another account. */
  readonly resourcePolicy?: PolicyDocument;
};

export interface LambdaFunction {
  readonly name: string;
  readonly arn: string;
  readonly region: string;
  readonly account: string;
  readonly concurrency: number | undefined;
  readonly resourcePolicy: Policy | undefined;
  readonly tenantIsolation: boolean;
  /** Milliseconds that a closed execution is remembered; undefined where the function is not durable. */
  readonly retentionMs: number | undefined;
  /** Runs under way. */
  running: number;
}

/** What a version is made of. */
export interface FunctionVersion {
  readonly settings: FunctionSettings;
  readonly runtime: Runtime;
}

interface Entry extends LambdaFunction {
  readonly options: FunctionOptions;
  code: FunctionCode;
  readonly versions: Map<string, FunctionVersion>;
  readonly aliases: Map<string, string>;
}

/** The functions of all accounts and regions, with their versions and aliases. */
export class Functions {
  readonly #entries = new Map<string, Entry>();
  #folder: string | undefined;
  #sources = 0;

  constructor(
    readonly account: string,
    readonly region: string,
    readonly partition: string,
  ) {}

  add(options: FunctionOptions): LambdaFunction {
    const account = options.account ?? this.account;
    const region = options.region ?? this.region;
    const arn = this.arn({ name: options.name, account, region });
    if (this.#entries.has(arn)) throw new Error(`${arn} exists`);
    const entry: Entry = {
      name: options.name,
      arn,
      account,
      region,
      concurrency: options.concurrency,
      resourcePolicy:
        options.resourcePolicy === undefined ? undefined : parsePolicy(options.resourcePolicy, "resource"),
      tenantIsolation: options.tenantIsolation ?? false,
      retentionMs: retentionOf(options),
      running: 0,
      options,
      code: options,
      versions: new Map(),
      aliases: new Map(Object.entries(options.aliases ?? {})),
    };
    entry.versions.set("$LATEST", this.#version(entry, "$LATEST", options));
    for (const [version, code] of Object.entries(options.versions ?? {})) {
      entry.versions.set(version, this.#version(entry, version, code));
    }
    this.#entries.set(arn, entry);
    return entry;
  }

  /** Replaces the code of `$LATEST`; published versions keep theirs. */
  async update(reference: string, code: FunctionCode): Promise<void> {
    const entry = this.#find(reference);
    const before = entry.versions.get("$LATEST");
    entry.code = code;
    entry.versions.set("$LATEST", this.#version(entry, "$LATEST", code));
    await before?.runtime.close();
  }

  /**
   * Publishes the code of `$LATEST` under the next number. A published file is still that file: it runs what is in it.
   * @returns the version's number
   */
  publish(reference: string): string {
    const entry = this.#find(reference);
    const version = String(
      Math.max(0, ...[...entry.versions.keys()].filter((key) => /^\d+$/.test(key)).map(Number)) + 1,
    );
    entry.versions.set(version, this.#version(entry, version, entry.code));
    return version;
  }

  setAlias(reference: string, alias: string, version: string): void {
    this.#find(reference).aliases.set(alias, version);
  }

  removeAlias(reference: string, alias: string): void {
    this.#find(reference).aliases.delete(alias);
  }

  async remove(reference: string): Promise<void> {
    const entry = this.#find(reference);
    this.#entries.delete(entry.arn);
    await Promise.all([...entry.versions.values()].map((version) => version.runtime.close()));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#entries.values()].map(({ arn }) => this.remove(arn)));
    if (this.#folder) rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Unqualified. */
  arn(name: Pick<FunctionName, "name" | "account" | "region">): string {
    return `arn:${this.partition}:lambda:${name.region ?? this.region}:${name.account ?? this.account}:function:${name.name}`;
  }

  hasRegion(region: string): boolean {
    return [...this.#entries.values()].some((entry) => entry.region === region);
  }

  /** The function of that ARN, whichever version. */
  get(arn: string): LambdaFunction | undefined {
    return this.#entries.get(arn);
  }

  /**
   * The version that a function's ARN and a qualifier (version, alias) lead to.
   * @throws ServiceError `ResourceNotFoundException`
   */
  resolve(arn: string, qualifier: string | undefined): { readonly function: LambdaFunction } & FunctionVersion {
    const entry = this.#entries.get(arn);
    const version = entry?.versions.get((qualifier && entry.aliases.get(qualifier)) ?? qualifier ?? "$LATEST");
    if (!entry || !version) {
      const message = `Function not found: ${arn}${qualifier === undefined ? "" : `:${qualifier}`}`;
      throw new ServiceError("ResourceNotFoundException", 404, message);
    }
    return { function: entry, ...version };
  }

  #find(reference: string): Entry {
    const entry = this.#entries.get(reference) ?? this.#entries.get(this.arn({ name: reference }));
    if (!entry) throw new Error(`no function ${reference}`);
    return entry;
  }

  #version(entry: Entry, version: string, code: FunctionCode): FunctionVersion {
    const { options } = entry;
    const settings: FunctionSettings = {
      functionName: options.name,
      functionVersion: version,
      memoryMb: options.memoryMb ?? 128,
      timeoutMs: options.timeoutMs ?? 3000,
    };
    const start = (): Runtime => this.#runtime(entry, settings, code);
    return { settings, runtime: options.tenantIsolation ? new TenantRuntimes(start) : start() };
  }

  #runtime(entry: Entry, settings: FunctionSettings, code: FunctionCode): Runtime {
    const { options } = entry;
    if ("handler" in code) return new InProcessRuntime(code.handler, settings);
    return new WorkerRuntime({
      ...settings,
      file: "file" in code ? resolve(code.file) : this.#write(code.source),
      folder: "file" in code ? code.folder : undefined,
      handler: options.exportName ?? "handler",
      region: entry.region,
      environment: options.environment ?? {},
      maxEnvironments: Math.max(1, options.concurrency ?? 16),
    });
  }

  /** A worker loads files only: a source becomes one for as long as the embedded AWS lives. */
  #write(source: string): string {
    this.#folder ??= mkdtempSync(join(tmpdir(), "embedded-aws-"));
    const file = join(this.#folder, `function-${++this.#sources}.mjs`);
    writeFileSync(file, source);
    return file;
  }
}

const DAY_MS = 86_400_000;

function retentionOf({ durable = false }: FunctionOptions): number | undefined {
  if (durable === false) return undefined;
  return durable === true ? 14 * DAY_MS : durable.retentionMs;
}
