import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { launchBrowser } from "./browser";

const ROOT = join(__dirname, "..", "..");
const AXE = readFileSync(require.resolve("axe-core"), "utf8");

const TRACK = `export const handler = async (event) => {
  console.log("got", event.event);
  return { booked: event.properties?.sku ?? null };
};
`;

/** A function in each language that is broken, and what the page says of it; `mended` mends it. */
const BROKEN = {
  JavaScript: {
    file: "identify.mjs",
    text: `export const handler = async () => {
  throw new TypeError("the list is empty");
};
`,
    said: ["TypeError: the list is empty", /identify\.mjs:2:\d+/],
    mended: [/throw.*/, "return { mended: true };"],
  },
  TypeScript: {
    file: "group.ts",
    text: `interface Group {
  groupId?: string;
}

export const handler = async ({ groupId }: Group): Promise<object> => {
  return { mended: groupId === ; };
};
`,
    said: ["SyntaxError", /group\.ts:6/],
    mended: [/return.*/, 'return { mended: groupId === "g-1" };'],
  },
  Python: {
    file: "alias.py",
    text: `def handler(event, context):
    return {"mended": evnt["type"] == "alias"}
`,
    said: ["NameError: name 'evnt' is not defined", /alias\.py", line 2/],
    mended: ["evnt", "event"],
  },
} as const;
type Language = keyof typeof BROKEN;
const hasPython = spawnSync("python3", ["-c", "import sys; sys.exit(sys.version_info < (3, 9))"]).status === 0;
const languages = (Object.keys(BROKEN) as Language[]).filter((language) => language !== "Python" || hasPython);

async function mend(language: Language): Promise<void> {
  const { file, text, mended } = BROKEN[language];
  await writeFile(join(folder, file), text.replace(mended[0], mended[1]));
}

let folder: string;
let start: ChildProcess;
let url: string;
let browser: Browser;
let context: BrowserContext;
let page: Page;
/** What no page may do: requests to elsewhere, errors, and violations of its content security policy, which are errors too. */
let troubles: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "functions-"));
  await writeFile(join(folder, "track.mjs"), TRACK);
  await writeFile(join(folder, "lambda.mjs"), "export const handler = async () => null;\n");
  for (const language of languages) await writeFile(join(folder, BROKEN[language].file), BROKEN[language].text);
  // Where Node.js does not run TypeScript by itself.
  await mkdir(join(folder, "node_modules"));
  for (const name of ["esbuild", `@esbuild/${process.platform}-${process.arch}`]) {
    await mkdir(dirname(join(folder, "node_modules", name)), { recursive: true });
    await symlink(dirname(require.resolve(`${name}/package.json`)), join(folder, "node_modules", name));
  }
  start = spawn(process.execPath, [join(ROOT, "dist", "cli.cjs"), "start", "--functions", folder, "--port", "0"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  await new Promise<void>((resolve, reject) => {
    start.stdout?.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes("Ctrl-C ends")) resolve();
    });
    start.once("exit", () => reject(new Error(said)));
  });
  url = /http:\/\/127\.0\.0\.1:\d+(?=\/)/.exec(/Page.*/.exec(said)?.[0] ?? "")?.[0] ?? "";
  browser = await launchBrowser();
}, 60_000);

afterAll(async () => {
  await browser?.close();
  start?.kill("SIGINT");
  if (start && start.exitCode === null) await once(start, "exit");
  await rm(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  context.setDefaultTimeout(20_000);
  page = await context.newPage();
  troubles = [];
  page.on("pageerror", (error) => troubles.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
      troubles.push(message.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(url)) troubles.push(request.url());
  });
  await page.goto(url);
});

afterEach(async () => {
  await context.close();
  expect(troubles).toEqual([]);
});

/** Sends an event as a Segment library does. */
async function send(endpoint: string, body: object, writeKey = "website"): Promise<Response> {
  return fetch(`${url}/v1/${endpoint}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Basic ${btoa(`${writeKey}:`)}` },
    body: JSON.stringify(body),
  });
}

const row = (text: string) => page.locator(".rows li", { hasText: text }).first();
const part = (title: string) => page.locator(".part", { has: page.getByRole("heading", { name: title, exact: true }) });

describe("a delivery", () => {
  test("appears by itself, and opens to what was taken in, what was sent, what came back and what was logged", async () => {
    await send("track", { userId: "u-7", event: "Basket Opened", properties: { sku: "A-1" }, messageId: "m-basket" });
    await row("Basket Opened").click();

    await page.getByRole("heading", { name: "Delivered Basket Opened" }).waitFor();
    expect(await part("What the function returned").textContent()).toContain('"booked": "A-1"');
    expect(await part("Log").textContent()).toMatch(/START RequestId.*got Basket Opened.*REPORT RequestId/s);
    expect(await part("Event").locator(".gone").allTextContents()).toEqual(
      expect.arrayContaining([expect.stringContaining('"requestIp": "127.0.0.1"')]),
    );
    expect(await part("Event").locator(".new").allTextContents()).toEqual(
      expect.arrayContaining([expect.stringContaining('"projectId": "website"')]),
    );
    await page.getByRole("button", { name: "As sent" }).click();
    expect(await part("Event").locator(".code").textContent()).not.toContain("writeKey");
    expect(await part("IDs").textContent()).toMatch(/Request ID[0-9a-f-]{36}/);
    expect(await part("Time line").textContent()).toContain("delivered (200)");
  });

  test.each([
    ["JavaScript", "identify"],
    ["TypeScript", "group"],
    ["Python", "alias"],
  ] as const)(
    "that failed in %s says where, and is delivered when it is replayed after the function is mended",
    async (language, endpoint) => {
      if (language === "Python" && !hasPython) return console.warn("Skipped: there is no Python 3.9 or newer.");
      const { said } = BROKEN[language];
      const messageId = `m-mended-${language}`;
      await send(endpoint, { userId: "u-8", groupId: "g-1", previousId: "a-1", messageId });
      await page.getByRole("searchbox").fill(messageId);
      await row("Given up").click();

      const callout = page.locator(".callout.bad");
      expect(await callout.textContent()).toContain("Execution Error");
      expect(await callout.textContent()).toContain(said[0]);
      expect(await callout.textContent()).toMatch(said[1]);
      expect(await callout.textContent()).toContain("the event is lost here");

      await mend(language);
      await page.getByRole("button", { name: "Replay", exact: true }).click();

      await page.getByRole("heading", { name: "Delivered u-8" }).waitFor();
      expect(await part("What the function returned").textContent()).toContain('"mended": true');
      expect(await row("u-8").textContent()).toContain("replay");
    },
  );

  test("can be replayed edited, and copied as curl", async () => {
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await send("track", { userId: "u-9", event: "It's Named", messageId: "m-edited" });
    await row("It's Named").click();
    await page.getByRole("button", { name: "Copy as curl" }).click();
    await page.getByRole("button", { name: "Copied" }).waitFor();
    const line = await page.evaluate("navigator.clipboard.readText()");
    expect(line).toContain(`curl -u website: -H 'content-type: application/json' -d '{"userId":"u-9"`);
    expect(line).toContain(`It'\\''s Named`);
    expect(line).not.toContain("requestIp");

    await page.getByRole("button", { name: "Edit and replay" }).click();
    const editor = page.getByLabel("Event to replay");
    await editor.fill((await editor.inputValue()).replace("It's Named", "Named Anew"));
    await page.getByRole("button", { name: "Replay the edited event" }).click();

    await page.getByRole("heading", { name: "Delivered Named Anew" }).waitFor();
  });

  test("of a text that looks like markup is shown as text", async () => {
    const markup = `<img src=x onerror="document.title='run'"><script>document.title='run'</script>`;
    await send("track", { userId: "u-1", event: markup, properties: { sku: markup } });
    await row("<img src=x").click();

    await page.getByRole("heading", { name: "Delivered <img" }).waitFor();
    expect(await part("Event").textContent()).toContain("<script>document.title='run'</script>");
    expect(await page.title()).toBe("Amazon Lambda destination");
    expect(await page.locator(".detail img").count()).toBe(0);
  });
});

test("the chart counts what comes, and how long it takes", async () => {
  const chart = page.getByRole("region", { name: "Rate and latency" });
  await send("track", { userId: "u-1", event: "Counted" });
  await row("Counted").getByText("Delivered").waitFor();

  const [lastMinute, median] = await chart.locator("dd").allTextContents();
  expect(Number(lastMinute)).toBeGreaterThan(0);
  expect(median).toMatch(/^(?:< )?[\d.]+ (?:ms|s)$/);
  expect(await chart.locator("svg rect").count()).toBeGreaterThan(0);
  expect(await chart.locator("svg title").textContent()).toMatch(/^[1-9]\d* events in five minutes/);
});

test("a request that the router refuses is in the list, with the reason", async () => {
  expect((await send("track", { event: "x" }, "nobody")).status).toBe(401);

  await row("POST /v1/track").click();

  expect(await page.locator(".callout.bad").textContent()).toContain("401");
  expect(await page.locator(".callout.bad").textContent()).toContain("write key");
});

test("the list is searched and filtered, and moved through by keyboard", async () => {
  await send("track", { userId: "u-5", event: "Found By Search", messageId: "m-found" });
  await row("Found By Search").waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("m-found");
  expect(await page.locator(".rows li").count()).toBe(1);
  await page.getByRole("searchbox").fill("");
  await page.getByLabel("Call type").selectOption("track");
  const rows = page.locator(".rows li");
  expect(await rows.filter({ hasNotText: "track" }).count()).toBe(0);

  await rows.first().getByRole("link").focus();
  await page.keyboard.press("Enter");
  await page.locator(".detail h2").waitFor();
  await page.keyboard.press("ArrowDown");
  await page.waitForFunction("document.querySelectorAll('.rows li')[1].className === 'selected'");
  await page.keyboard.press("Escape");
  await page.locator(".detail").waitFor({ state: "detached" });
});

test("a function is begun from the page's own sample, and runs once it is saved", async () => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.getByRole("link", { name: "Functions", exact: true }).click();
  expect(await page.getByRole("list", { name: "Functions" }).textContent()).toContain(join(folder, "track.mjs"));
  await page.getByRole("button", { name: "JavaScript" }).click();
  expect(await page.locator(".card").textContent()).toContain(join(folder, "track.mjs"));
  await page.getByRole("button", { name: "Copy" }).click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  await writeFile(join(folder, "screen.mjs"), String(await page.evaluate("navigator.clipboard.readText()")));

  await send("screen", { userId: "u-1", name: "Newly Written", messageId: "m-new" });
  await page.getByRole("link", { name: "Deliveries", exact: true }).click();
  await row("Newly Written").click();
  await page.getByRole("heading", { name: "Delivered Newly Written" }).waitFor();
  expect(await part("What the function returned").textContent()).toContain('"stored": "m-new"');
  await page.getByRole("link", { name: "Functions", exact: true }).click();
  await page.locator(".files").getByText("screen calls").waitFor();
});

test("the composer sends a sample and shows what became of it", async () => {
  await page.getByRole("link", { name: "Send", exact: true }).click();
  await page.getByRole("button", { name: "screen · Basket" }).click();
  await page.getByRole("button", { name: "Send" }).click();
  await page.locator(".callout").getByText("Delivered").waitFor();
  await page.getByRole("link", { name: "See what happened" }).click();
  await page.getByRole("heading", { name: "Delivered Basket" }).waitFor();

  await page.getByRole("link", { name: "Send", exact: true }).click();
  await page.getByLabel("Body").fill("{");
  expect(await page.locator(".field-problem").textContent()).toContain("This is not JSON");
  expect(await page.getByRole("button", { name: "Send" }).isDisabled()).toBe(true);
});

test("the connection check goes through step by step", async () => {
  await Promise.all(languages.map(mend));
  await page.getByRole("link", { name: "Check", exact: true }).click();
  await page.getByLabel("Send a sample event to each function").check();
  await page.getByRole("button", { name: "Check" }).click();

  await page.getByText("The connection works.").waitFor();
  expect(await page.locator(".steps").textContent()).toContain("Trust without external ID");
  expect(await page.locator(".steps").textContent()).toContain("Sample event identify");
});

describe("the settings", () => {
  beforeEach(() => page.getByRole("link", { name: "Settings", exact: true }).click());
  const callout = () => page.locator(".settings-form .callout");

  test("are checked in the words of the schema, and when applied the account follows", async () => {
    await page.getByLabel("Region", { exact: true }).fill("us-east");
    await page.getByText("Region must be the name of an AWS region").waitFor();
    expect(await page.getByRole("button", { name: "Apply" }).isDisabled()).toBe(true);
    await page.getByLabel("Region", { exact: true }).fill("us-east-1");
    await page.getByLabel("External ID").fill("of-the-page");
    await page.getByLabel("Role Address").fill("arn:aws:iam::123456789012:role/teams/another-role");
    await page.getByLabel("Track Lambda").fill("arn:aws:lambda:us-east-1:123456789012:function:track:live");
    await page.getByRole("button", { name: "Apply" }).click();
    await callout().getByText("Applied").waitFor();

    await send("track", { userId: "u-6", event: "With New Settings" });
    await page.getByRole("link", { name: "Deliveries", exact: true }).click();
    await row("With New Settings").click();
    await page.getByRole("heading", { name: "Delivered With New Settings" }).waitFor();
    expect(await page.locator(".facts").textContent()).toContain("track:live");
  });

  test("hold maps, which are filled in line by line", async () => {
    await page.getByRole("button", { name: "Add to Event Lambdas" }).click();
    await page.getByLabel("Event Lambdas: key 1").fill("Sent To Another");
    await page.getByLabel("Event Lambdas: value 1").fill("arn:aws:lambda:us-east-1:123456789012:function:lambda");
    await page.getByRole("button", { name: "Apply" }).click();
    await callout().getByText("Applied").waitFor();

    await send("track", { userId: "u-6", event: "Sent To Another" });
    await page.getByRole("link", { name: "Deliveries", exact: true }).click();
    await row("Sent To Another").click();
    await page.getByRole("heading", { name: "Delivered Sent To Another" }).waitFor();
    expect(await page.locator(".facts").textContent()).toMatch(/→ .*\blambda$/);
  });

  test("name what has no handler on this machine", async () => {
    await page.getByLabel("Group Lambda").fill("nothing-of-that-name");
    await page.getByRole("button", { name: "Apply" }).click();

    await callout().getByText("There is no handler for the function nothing-of-that-name").waitFor();
  });

  test("hide secrets, in the form and in every export", async () => {
    const secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYSECRETKEY0";
    await page.getByLabel("Access Key ID").fill("AKIASECRETKEYID00000");
    await page.getByLabel("Secret Access Key").fill(secret);
    expect(await page.getByLabel("Secret Access Key").getAttribute("type")).toBe("password");
    await page.getByRole("button", { name: "Apply" }).click();
    await callout().getByText("Applied").waitFor();
    await page.reload();
    await page.getByLabel("Secret Access Key").waitFor();
    expect(await page.getByLabel("Secret Access Key").inputValue()).toBe("••••••••");

    for (const format of ["settings.json", "RudderStack workspaceConfig.json", "Jitsu variables"]) {
      await page.locator(".card select").selectOption(format);
      await page.getByRole("button", { name: "Export" }).click();
      await page.locator(".card pre").getByText("<Secret Access Key>").waitFor();
      expect(await page.locator(".card pre").textContent()).not.toMatch(/SECRETKEY|••/);
    }
    await page.getByLabel("Access Key ID").fill("");
    await page.getByLabel("Secret Access Key").fill("");
    await page.getByRole("button", { name: "Apply" }).click();
    await callout().getByText("Applied").waitFor();
  });

  test("are exported as CloudFormation", async () => {
    await page.locator(".card select").selectOption("CloudFormation");
    await page.getByLabel("Whom the role trusts").fill("arn:aws:iam::111122223333:role/my-router");
    await page.getByRole("button", { name: "Export" }).click();

    await page.locator(".card pre").getByText("arn:aws:iam::111122223333:role/my-router").waitFor();
    expect(await page.locator(".card pre").textContent()).toContain("AWS::IAM::Role");
  });

  test.each([
    [
      "Segment",
      { settings: { function: "from-segment", region: "eu-west-1", roleAddress: "arn:aws:iam::123456789012:role/r" } },
      "from-segment",
    ],
    [
      "RudderStack",
      {
        Config: {
          iamRoleARN: "arn:aws:iam::123456789012:role/r",
          roleBasedAuth: true,
          lambda: "from-rudderstack",
          region: "eu-west-1",
        },
      },
      "from-rudderstack",
    ],
    [
      "this destination",
      { lambda: "of-ours", region: "eu-west-1", eventLambdas: { "Order Completed": "orders" } },
      "of-ours",
    ],
  ])("are imported from a file of %s", async (_from, file, fn) => {
    await page.getByLabel("File").setInputFiles({
      name: "config.json",
      mimeType: "application/json",
      buffer: Buffer.from(JSON.stringify(file)),
    });
    await page.getByText("The form now holds the").waitFor();

    expect(await page.getByLabel("Lambda", { exact: true }).inputValue()).toBe(fn);
    expect(await page.getByLabel("Region", { exact: true }).inputValue()).toBe("eu-west-1");
  });
});

describe.each([
  ["dark", 1440],
  ["light", 1440],
  ["dark", 360],
  ["light", 360],
] as const)("in %s at %i px", (colorScheme, width) => {
  test.each(["deliveries", "deliveries/1", "deliveries/2", "functions", "send", "settings", "check"])(
    "#%s has no serious barrier and fits",
    async (view) => {
      await page.setViewportSize({ width, height: 800 });
      await page.emulateMedia({ colorScheme });
      await page.goto(`${url}/#${view}`);
      await page.locator("h1, h2").first().waitFor({ state: "attached" });
      if (view.includes("/")) await page.locator(".detail .part").first().waitFor();

      await page.evaluate(AXE);
      const found = (await page.evaluate("axe.run()")) as {
        violations: { id: string; impact: string; nodes: { html: string }[] }[];
      };
      const serious = found.violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
      expect(serious.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
      expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
    },
  );
});
