import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { consoleForm } from "../../src/hosts/jitsu/console-form";
import { MASKED_SECRET } from "../../src/hosts/jitsu/masked-secret";
import { parseSettings } from "../../src/settings/settings";
import { launchBrowser } from "./browser";
import type {} from "./jitsu-form-page";

// Jitsu's form as its console shows it, by the packages that the console uses.

const FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:router-events";
const ROLE = "arn:aws:iam::123456789012:role/router-events-invoker";
const NEW = { id: "d-1", name: "My Lambda" };

let browser: Browser;
let page: Page;
let bundle: string;
let problems: string[];

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), "jitsu-form-"));
  const form = join(folder, "amazon-lambda.tsx");
  await writeFile(form, consoleForm("1.2.3"));
  const { outputFiles } = await build({
    entryPoints: [join(__dirname, "jitsu-form-page.ts")],
    bundle: true,
    write: false,
    format: "iife",
    jsx: "automatic",
    alias: { "jitsu-console-form": form },
    nodePaths: [join(__dirname, "../../node_modules")],
    define: { "process.env.NODE_ENV": '"production"' },
  });
  await rm(folder, { recursive: true });
  bundle = outputFiles[0]?.text ?? "";
  browser = await launchBrowser();
});

afterAll(() => browser?.close());

beforeEach(async () => {
  page = await browser.newPage();
  problems = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  await page.setContent("<!doctype html><title>Jitsu</title><body></body>");
  await page.addScriptTag({ content: bundle });
});

afterEach(async () => {
  await page.close();
  expect(problems).toEqual([]);
});

const show = (converter: "3.23.2" | "newest", destination: object) =>
  page.evaluate(([version, data]) => window.show(version, data), [converter, destination] as const);

async function save(): Promise<Record<string, unknown>> {
  await page.getByRole("button", { name: "Submit" }).click();
  const { stored, refused } = await page.evaluate(() => window.store(window.saved));
  expect(refused).toBeUndefined();
  return stored as Record<string, unknown>;
}

describe.each(["3.23.2", "newest"] as const)("with zod-to-json-schema %s", (converter) => {
  test("a new destination is filled in and saved", async () => {
    await show(converter, NEW);

    await page.getByLabel("Functions · Lambda").fill(FUNCTION);
    await page.getByLabel("Permissions · Role Address").fill(ROLE);
    await page.getByLabel("Functions · Event Lambdas").fill('{"Order *": "(skip)"}');
    await page.getByLabel("Delivery · Log Type").selectOption("Tail");
    await page.getByLabel("Delivery · Timeout (ms)").fill("900");
    const stored = await save();

    const settings = { lambda: FUNCTION, roleAddress: ROLE, eventLambdas: '{"Order *": "(skip)"}' };
    expect(stored).toMatchObject({ ...NEW, ...settings, logType: "Tail", timeoutMs: 900 });
    const { id: _id, name: _name, ...credentials } = stored;
    expect(() => parseSettings(credentials)).not.toThrow();
  });

  test("a mistake is told at once, in words, and keeps the form from being saved", async () => {
    await show(converter, NEW);

    await page.getByLabel("Functions · Track Lambda").fill("no function");

    const field = page.locator(".field", { has: page.getByLabel("Functions · Track Lambda") }).last();
    expect(await field.locator(".error-detail").textContent()).toContain("the name or ARN of a Lambda function");
    await page.getByRole("button", { name: "Submit" }).click();
    expect(await page.evaluate(() => window.saved)).toBeUndefined();
  });

  test("a saved destination with masked secrets is edited, and its secrets are kept", async () => {
    await show(converter, { ...NEW, lambda: "a", accessKeyId: MASKED_SECRET, secretAccessKey: MASKED_SECRET });

    await page.getByLabel("Functions · Lambda").fill("b");

    expect(await save()).toMatchObject({ lambda: "b", accessKeyId: MASKED_SECRET, secretAccessKey: MASKED_SECRET });
  });

  test("a copy of a destination with masked secrets is saved, for the console to fill them in", async () => {
    const copy = { id: "d-2", name: "My Lambda (copy)", cloneId: NEW.id };
    const masked = { accessKeyId: MASKED_SECRET, secretAccessKey: MASKED_SECRET };
    await show(converter, { ...copy, lambda: FUNCTION, roleAddress: ROLE, ...masked });

    expect(await save()).toMatchObject({ ...copy, lambda: FUNCTION, roleAddress: ROLE, ...masked });
  });

  test("a field with nothing but a blank is emptied", async () => {
    await show(converter, { ...NEW, lambda: FUNCTION, externalId: "my-source-id" });

    await page.getByLabel("Permissions · External ID").fill(" ");

    expect(await save()).not.toHaveProperty("externalId");
  });
});
