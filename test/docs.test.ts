import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { isDeepStrictEqual } from "node:util";
import Ajv from "ajv";
import addFormats from "ajv-formats";
import { transformSync } from "esbuild";
import { parseAllDocuments } from "yaml";
import { scripts, version } from "../package.json";
import manifest from "../plugin.json";
import { SECTIONS, withSections } from "../scripts/generated-sections";
import { type Block, blocksOf, linksOf, sectionsOf } from "./markdown";

const root = join(__dirname, "..");
const PAGES = [
  "README.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  ...["docs", "examples", "src"].flatMap(filesIn).filter((file) => file.endsWith(".md")),
];
const textOf = (page: string) => readFileSync(join(root, page), "utf8");
const blocks = PAGES.flatMap((page) => blocksOf(textOf(page)).map((block) => ({ page, ...block })));
const at = ({ page, line }: Block & { readonly page: string }) => `${page}:${line}`;

test("the pages' generated parts are those of the source (otherwise: npm run docs)", () => {
  const changed = PAGES.filter((page) => withSections(textOf(page)) !== textOf(page));
  expect(changed).toEqual([]);
});

test.each(Object.keys(SECTIONS))("the generated table of %s stands once", (name) => {
  expect(PAGES.filter((page) => textOf(page).includes(`<!-- ${name} -->`))).toHaveLength(1);
});

test("the manifest, the package and the changelog have the same version", () => {
  expect(manifest.version).toBe(version);
  expect(readFileSync(join(root, "CHANGELOG.md"), "utf8")).toMatch(
    new RegExp(`^## ${version.replaceAll(".", "\\.")}`, "m"),
  );
});

test("the README is read in one go", () => {
  expect(textOf("README.md").split("\n").length).toBeLessThanOrEqual(201);
});

describe("links", () => {
  test.each(PAGES)("of %s lead somewhere", (page) => {
    const broken = linksOf(textOf(page)).filter((target) => {
      if (/^[a-z]+:/.test(target)) return !URL.canParse(target);
      const [file = "", anchor] = target.split("#");
      const path = file === "" ? page : relative(root, join(root, dirname(page), file));
      if (!existsSync(join(root, path))) return true;
      return anchor !== undefined && !sectionsOf(textOf(path)).some((section) => section.anchor === anchor);
    });
    expect(broken).toEqual([]);
  });
});

describe("JSON", () => {
  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats(ajv);
  const schema = (name: string) => JSON.parse(readFileSync(join(root, "schemas", `${name}.schema.json`), "utf8"));
  ajv.addSchema(schema("settings"));
  const validatorOf = (name: string) => ajv.getSchema(schema(name).$id) ?? ajv.compile(schema(name));

  /** What a block of JSON is, told by what it has; and whether it is right. */
  const KINDS: Readonly<Record<string, { is(value: object): boolean; problem(value: object): unknown }>> = {
    settings: {
      is: (value) => Object.keys(value).every((key) => key in schema("settings").properties),
      problem: (value) => problemBy("settings", value),
    },
    connections: { is: (value) => "connections" in value, problem: (value) => problemBy("connections", value) },
    "a Segment event": {
      is: (value) => "type" in value && "messageId" in value,
      problem: (value) => problemBy("segment-event", value),
    },
    "an event as it is sent": {
      is: (value) => "type" in value || ("userId" in value && "event" in value),
      problem: () => undefined,
    },
    "a delivery result": { is: (value) => "outcome" in value, problem: (value) => problemBy("delivery-result", value) },
    "a policy": {
      is: (value) => "Statement" in value,
      problem: ({ Version, Statement }: { Version?: string; Statement?: { Effect?: string; Action?: unknown }[] }) =>
        Version === "2012-10-17" &&
        Statement?.every(({ Effect, Action }) => /^(Allow|Deny)$/.test(String(Effect)) && Action)
          ? undefined
          : "no IAM policy",
    },
    "a connector of Kafka Connect": { is: (value) => "connector.class" in value, problem: () => undefined },
    "a batch's answer": {
      is: (value) => "batchItemFailures" in value,
      problem: (value) =>
        "batchItemFailures" in value && Array.isArray(value.batchItemFailures) ? undefined : "no list",
    },
  };

  function problemBy(name: string, value: object): unknown {
    const validate = validatorOf(name);
    return validate(value) ? undefined : validate.errors;
  }

  const told = blocks.filter(({ language }) => language === "json");

  test.each(told.map((block) => [at(block), block] as const))("at %s is valid, and of a known kind", (_, { code }) => {
    const value = JSON.parse(code) as object;
    const items = Array.isArray(value) ? value : [value];
    for (const item of items) {
      const kind = Object.values(KINDS).find(({ is }) => is(item));
      expect(kind ? kind.problem(item) : `nobody knows what this is: ${JSON.stringify(item)}`).toBeUndefined();
    }
  });
});

describe("code", () => {
  const exported = (specifier: string): string[] => {
    const file = specifier === manifest.name ? "index" : specifier.slice(manifest.name.length + 1);
    const declared = readFileSync(join(root, "api", `${file}.api.md`), "utf8");
    const names = [...declared.matchAll(/^export (?:declare )?(?:const|function|type|interface|class) (\w+)/gm)];
    const listed = [...declared.matchAll(/^export \{ (\w+) \}/gm)];
    return [...names, ...listed].map(([, name]) => String(name));
  };

  function compiles({ code }: Block): void {
    transformSync(code, { loader: "ts", format: "esm" });
    const imports = code.matchAll(/import (?:type )?\{([^}]*)\} from "(amazon-lambda-destination[^"]*)"/g);
    for (const [, names, specifier] of imports) {
      const wanted = String(names)
        .split(",")
        .map((name) => name.trim().replace(/^type /, ""))
        .filter(Boolean);
      expect(exported(String(specifier))).toEqual(expect.arrayContaining(wanted));
    }
  }

  const LANGUAGES: Readonly<Record<string, (block: Block) => void>> = {
    js: compiles,
    ts: compiles,
    yaml: ({ code }) => expect(parseAllDocuments(code).flatMap((document) => document.errors ?? [])).toEqual([]),
    python: ({ code }) =>
      void execFileSync("python3", ["-c", "import ast, sys; ast.parse(sys.stdin.read())"], {
        input: code,
        stdio: "pipe",
      }),
    json: () => undefined, // above
    sh: () => undefined, // below
    dockerfile: () => undefined, // below
    "": () => undefined, // what a program prints, and drawings
  };

  test.each(blocks.map((block) => [at(block), block] as const))(
    "at %s compiles, and imports what there is",
    (_, block) => {
      expect(Object.keys(LANGUAGES)).toContain(block.language);
      LANGUAGES[block.language]?.(block);
    },
  );
});

describe("commands", () => {
  const help = new Map<string, string>();
  /** The help of the longest command that these words begin with. */
  function helpOf(words: readonly string[]): string {
    for (const count of [2, 1, 0]) {
      const command = words.slice(0, count).join(" ");
      if (words.slice(0, count).some((word) => !/^[a-z-]+$/.test(word))) continue;
      if (!help.has(command)) {
        const argv = [...words.slice(0, count), "--help"];
        try {
          help.set(
            command,
            execFileSync(process.execPath, [join(root, "dist/cli.cjs"), ...argv], { encoding: "utf8", stdio: "pipe" }),
          );
        } catch {
          help.set(command, "");
        }
      }
      const found = help.get(command) ?? "";
      if (found !== "" && (count > 0 || words.length === 0 || words[0]?.startsWith("-"))) return found;
    }
    return "";
  }

  const shell = blocks.filter(({ language }) => ["sh", "dockerfile"].includes(language));
  const lines = shell.flatMap((block) =>
    block.code
      .replaceAll("\\\n", " ")
      .split("\n")
      .map((line) => line.replace(/(^|\s)#.*$/, ""))
      .map((line) => ({ where: at(block), line })),
  );

  const ours = lines.flatMap(({ where, line }) =>
    [...line.matchAll(/(?:^|[\s;&|(])amazon-lambda-destination(?: +([^|;&>)"`]*))?/g)].map(([, rest = ""]) => ({
      where,
      words: rest.split(/\s+/).filter(Boolean),
    })),
  );
  const typed = ours.filter(({ words }) => words[0] === undefined || /^(?:[a-z-]+|--.*)$/.test(words[0]));
  test.each(typed.map(({ where, words }) => [where, words.join(" "), words] as const))(
    "at %s: amazon-lambda-destination %s",
    (_, __, words) => {
      const text = helpOf(words);
      expect(text).not.toBe("");
      const flags = words.filter((word) => word.startsWith("--")).map((word) => word.split("=")[0] as string);
      expect(flags.filter((flag) => !text.includes(flag))).toEqual([]);
    },
  );

  test("of npm are scripts of this package", () => {
    const unknown = lines.flatMap(({ where, line }) =>
      [...line.matchAll(/\bnpm run (?:--silent )?([\w:-]+)/g)]
        .filter(([, name]) => !(String(name) in scripts))
        .map(([command]) => `${where}: ${command}`),
    );
    expect(unknown).toEqual([]);
  });

  test("in the text of a page are scripts of this package, too", () => {
    const told = PAGES.flatMap((page) =>
      [...textOf(page).matchAll(/`npm run (?:--silent )?([\w:-]+)/g)].map(([, name]) => name),
    );
    expect(told.filter((name) => !(String(name) in scripts))).toEqual([]);
  });

  const scripted = shell.filter(({ language }) => language !== "dockerfile");
  test.each(scripted.map((block) => [at(block), block] as const))("at %s are what a shell can read", (_, block) => {
    expect(() => execFileSync("bash", ["-n"], { input: block.code, stdio: "pipe" })).not.toThrow();
  });
});

describe("names", () => {
  /** One name per thing, in every page. */
  const OTHER_NAMES =
    /\b(?:my-(?!source-id)[a-z-]*(?:function|source|role|lambda)[a-z-]*|role\/(?!router-events-invoker|router\b|\*)[\w-]+)/g;
  test.each(PAGES.filter((page) => page.startsWith("docs/") || page === "README.md"))(
    "in %s are those of all pages",
    (page) => {
      expect(textOf(page).match(OTHER_NAMES) ?? []).toEqual([]);
    },
  );
});

/** What an answer cannot do without. */
const ANSWERS: Readonly<Record<string, RegExp>> = {
  "How do I try it without an AWS account?": /npm start/,
  "How do I create the role?": /iam --settings[\s\S]*cloudformation deploy/,
  "How do I test the connection?": /check --settings/,
  "How do several sources share one role?": /--external-id/,
  "How do I rotate the External ID?": /both IDs[\s\S]*--external-id[\s\S]*Revoke active sessions/,
  "How do I rotate access keys?": /second key[\s\S]*inactive/,
  "How do I come from Segment's or RudderStack's own Lambda destination?": /migrate --from segment[\s\S]*/,
  "How do I send some events elsewhere, or nowhere?": /Order \*[\s\S]*\(skip\)/,
  "How do I have each event handled once?": /"executionName": "MessageId"[\s\S]*version or an alias/,
  "How do I keep tenants apart inside one function?": /\{workspace\}[\s\S]*2,500/,
  "Where does an event go that is given up?": /RetriesExhausted[\s\S]*Only when Lambda has taken the record/,
  "What does this error mean?": /`ExecutionError`[\s\S]*`AccessDenied`/,
  'AWS says "Access denied". Who is denied what?': /trust principal[\s\S]*lambda:InvokeFunction/,
  "My function times out. What can I do?": /function's own timeout[\s\S]*memory/,
  "Where do I see my function's log?": /last 4 KB[\s\S]*CloudWatch/,
  "How do I replay events that were dead-lettered?": /--dead-letter[\s\S]*--from-line/,
  "What does Jitsu do with an event that fails?": /RetryError[\s\S]*dead-letter/,
  "What does RudderStack do with an event that fails?": /retried[\s\S]*aborted/,
  "What does my function receive?": /messageId/,
  "How do I fail a single event of a batch?": /batchItemFailures/,
  "How do I give an event up for good?": /DropEvent/,
  "How do I keep an event from being handled twice?": /messageId[\s\S]*Execution Name/,
  "How do I run my function on my machine?": /start --functions/,
  "How do I keep tenants apart in a shared router?":
    /AMAZON_LAMBDA_EXTERNAL_ID=workspace|AMAZON_LAMBDA_ALLOWED_ACCOUNTS/,
  "How do I run it on EKS?": /Pod Identity[\s\S]*sts:TagSession/,
  "Does it work behind a proxy, or without internet?": /interface endpoints[\s\S]*HTTPS_PROXY/,
  "How do I use FIPS endpoints?": /AWS_USE_FIPS_ENDPOINT/,
  "How large may an event be?": /6,291,456/,
  "How many events a second can I send?": /events\/s/,
  "How much Lambda concurrency do I need?": /rate × duration/,
  "Is the order of events kept?": /per user/,
};

describe("questions", () => {
  const page = "docs/questions.md";
  const questions = [...textOf(page).matchAll(/^- \[([^\]]+)\]\(([^)]+)\)/gm)].map(
    ([, question, target]) => [String(question), String(target)] as const,
  );

  test("are a click away from the README", () => {
    expect(linksOf(textOf("README.md"))).toContain(page);
    expect(questions.length).toBeGreaterThanOrEqual(20);
  });

  test.each(questions)("%s", (question, target) => {
    const [file = "", anchor] = target.split("#");
    const path = relative(root, join(root, "docs", file));
    const section = sectionsOf(textOf(path)).find((each) => each.anchor === anchor);
    expect(section?.text).toMatch(ANSWERS[question] ?? /^no word of the answer is known to this test$/);
  });

  test("all have an answer", () => {
    expect(isDeepStrictEqual(new Set(questions.map(([question]) => question)), new Set(Object.keys(ANSWERS)))).toBe(
      true,
    );
  });
});

/** What would have somebody fetch whatever the registry has under our name: `npx` and `npm` of a bare name, no file. */
const FETCHES_OUR_NAME =
  /\b(?:npx|pnpx|bunx|(?:npm|pnpm|yarn|bun) +(?:install|i|add|pack|exec|x|dlx|create|view))\b(?![^\n]*--package=\/)[^\n|;&#]*? amazon-lambda-destination(?![\w.*-]*\.tgz)/;

test.each([
  "npx amazon-lambda-destination check",
  "npx --yes amazon-lambda-destination@latest",
  "npm install amazon-lambda-destination",
  "npm pack amazon-lambda-destination && tar xzf amazon-lambda-destination-*.tgz",
])("%s would fetch a stranger's package", (command) => {
  expect(command).toMatch(FETCHES_OUR_NAME);
});

test("while the package is not on npm, nothing tells anybody to fetch it from there", () => {
  const told = [
    ...readdirSync(root).filter((name) => /\.(?:md|json)$/.test(name)),
    ...[".github", "docs", "src", "schemas", "templates", "examples"].flatMap(filesIn),
  ].filter((file) => FETCHES_OUR_NAME.test(readFileSync(join(root, file), "utf8")));

  expect(told).toEqual([]);
});

function filesIn(folder: string): string[] {
  const path = join(root, folder);
  if (!existsSync(path)) return [];
  return (readdirSync(path, { recursive: true }) as string[])
    .filter((name) => !name.split(sep).includes("node_modules"))
    .map((name) => join(folder, name))
    .filter((name) => statSync(join(root, name)).isFile());
}
