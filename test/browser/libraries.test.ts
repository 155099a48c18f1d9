import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { buildSync } from "esbuild";
import type { Browser } from "playwright-core";
import { type Serving, startServing } from "../hosts/webhook/serving";
import { launchBrowser } from "./browser";

/** As a site bundles them. */
const BUNDLE = `
  import { AnalyticsBrowser } from "@segment/analytics-next";
  import { RudderAnalytics } from "@rudderstack/analytics-js/bundled";
  import { jitsuAnalytics } from "@jitsu/js";
  Object.assign(window, { AnalyticsBrowser, RudderAnalytics, jitsuAnalytics });
`;

let browser: Browser;
let site: Server;
let serving: Serving;

beforeAll(async () => {
  browser = await launchBrowser();
  const bundled = buildSync({
    stdin: { contents: BUNDLE, resolveDir: __dirname },
    bundle: true,
    write: false,
    format: "iife",
    define: { "process.env.NODE_ENV": '"production"' },
    logLevel: "error",
  });
  site = createServer((request, response) => {
    if (request.url === "/libraries.js")
      return void response.writeHead(200, { "content-type": "text/javascript" }).end(bundled.outputFiles[0]?.contents);
    response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>Shop</title><body></body>");
  });
  await once(site.listen(0, "127.0.0.1"), "listening");
});

afterAll(async () => {
  await browser?.close();
  site?.closeAllConnections();
  site?.close();
});

const origin = () => `http://127.0.0.1:${(site.address() as AddressInfo).port}`;

beforeEach(async () => {
  serving = await startServing({}, [{ id: "website", origins: [origin()] }]);
});

afterEach(async () => {
  await serving.close();
});

/** Runs a script on a page of the site, which has another origin than the receiver, until these events have come. */
async function onPage(run: string, expected: readonly string[]): Promise<void> {
  const page = await browser.newPage();
  try {
    const problems: string[] = [];
    page.on("console", (message) => void (message.type() === "error" && problems.push(message.text())));
    page.on("pageerror", (error) => void problems.push(error.message));
    let arrived = () => {};
    const all = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const types = () => new Set(serving.behind.taken.map(({ type }) => type));
    const { deliver } = serving.behind;
    serving.behind.deliver = async (...args) => {
      const outcome = await deliver.apply(serving.behind, args);
      if (expected.every((type) => types().has(type))) arrived();
      return outcome;
    };
    await page.goto(origin());
    await page.addScriptTag({ url: `${origin()}/libraries.js` });
    await page.evaluate(run);
    const late = setTimeout(arrived, 15_000);
    await all;
    clearTimeout(late);
    expect({ problems, types: [...types()].sort() }).toEqual({ problems: [], types: [...expected].sort() });
  } finally {
    await page.close();
  }
}

test("@segment/analytics-next loads its settings from the receiver and sends to it", async () => {
  await onPage(
    `(async () => {
      const [analytics] = await AnalyticsBrowser.load({ writeKey: "website", cdnURL: "${serving.url}" });
      await Promise.all([analytics.track("Signed Up", { plan: "pro" }), analytics.identify("u"), analytics.page("Home"), analytics.group("g")]);
    })()`,
    ["track", "identify", "page", "group"],
  );
  expect(serving.behind.taken[0]).toMatchObject({ requestIp: "127.0.0.1", messageId: expect.any(String) });
});

test("@rudderstack/analytics-js loads its source's configuration from the receiver and sends to it", async () => {
  await onPage(
    `(async () => {
      const analytics = new RudderAnalytics();
      await new Promise((ready) => {
        analytics.load("website", "${serving.url}", { configUrl: "${serving.url}", onLoaded: ready });
      });
      analytics.track("Signed Up", { plan: "pro" });
      analytics.identify("u");
      analytics.page("Home");
      analytics.group("g");
    })()`,
    ["track", "identify", "page", "group"],
  );
});

test("@jitsu/js sends from a page", async () => {
  await onPage(
    `(async () => {
      const analytics = jitsuAnalytics({ host: "${serving.url}", writeKey: "website:any" });
      await Promise.all([analytics.track("Signed Up"), analytics.page({ name: "Home" })]);
    })()`,
    ["track", "page"],
  );
});

test("a page of another site is told that it may not", async () => {
  const page = await browser.newPage();
  try {
    await page.goto(origin().replace("127.0.0.1", "localhost"));
    const sent = await page.evaluate(
      `fetch("${serving.url}/v1/track", { method: "POST", body: JSON.stringify({ writeKey: "website", event: "e" }) }).then(() => "read", () => "refused")`,
    );
    expect(sent).toBe("refused");
    expect(serving.behind.taken).toEqual([]);
  } finally {
    await page.close();
  }
});
