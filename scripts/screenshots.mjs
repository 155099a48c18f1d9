// `npm run docs:screenshots`: the pictures in docs/images, from the real page of a real start.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { findBrowser } from "./browser.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const images = join(root, "docs", "images");
const folder = mkdtempSync(join(tmpdir(), "functions-"));

/** Functions that have something to show, in a folder of their own. */
const FUNCTIONS = {
  "track.mjs": `export const handler = async ({ event, userId, properties }) => {
  console.log(\`\${userId} did \${event}\`, properties);
  return { stored: true, table: "events" };
};
`,
  "identify.mjs": `export const handler = async ({ traits }) => {
  if (!traits.email.endsWith("@example.com")) throw new Error("not one of ours");
  return { contact: traits.email };
};
`,
};

/** What is sent, and shown from the last to the first. */
const EVENTS = [
  ["identify", { userId: "u-1042", traits: { email: "ines@example.com", plan: "pro" } }],
  ["page", { userId: "u-1042", name: "Pricing", properties: { path: "/pricing" } }],
  ["track", { userId: "u-1042", event: "Product Viewed", properties: { sku: "G-32" } }],
  ["identify", { userId: "u-7", traits: { email: "mallory@elsewhere.test" } }],
  ["track", { userId: "u-1042", event: "Product Added", properties: { sku: "G-32", quantity: 2 } }],
  ["track", { userId: "u-7", event: "Order Completed", properties: { orderId: "o-9001", total: 37.98 } }],
];

for (const [name, text] of Object.entries(FUNCTIONS)) writeFileSync(join(folder, name), text);
mkdirSync(images, { recursive: true });

const server = spawn(
  process.execPath,
  [join(root, "dist", "cli.cjs"), "start", "--functions", folder, "--port", "8788"],
  { stdio: ["ignore", "pipe", "inherit"] },
);
const browser = await chromium.launch({ executablePath: findBrowser(), args: ["--no-sandbox", "--no-zygote"] });
try {
  await new Promise((resolve, reject) => {
    let said = "";
    server.stdout.on("data", (chunk) => {
      said += chunk;
      if (said.includes("Ctrl-C ends")) resolve();
    });
    server.once("exit", () => reject(new Error("start ended")));
  });
  const url = "http://127.0.0.1:8788";
  for (const colorScheme of ["light", "dark"]) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, colorScheme });
    const page = await context.newPage();
    await page.goto(url);
    await page.getByRole("button", { name: "Clear" }).click();
    for (const [endpoint, body] of EVENTS) {
      await fetch(`${url}/v1/${endpoint}`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Basic ${btoa("website:")}` },
        body: JSON.stringify({ messageId: `m-${Math.random().toString(36).slice(2)}`, ...body }),
      });
    }
    await page.getByText("Given up").first().waitFor();
    await page.locator(".rows li", { hasText: "Order Completed" }).first().click();
    await page.getByRole("heading", { name: "What the function returned" }).waitFor();
    // The address of the folder is nobody's business.
    await page.locator("footer").evaluate((footer) => footer.remove());
    await page.screenshot({ path: join(images, `page-${colorScheme}.png`) });
    await context.close();
  }
} finally {
  await browser.close();
  server.kill("SIGINT");
  rmSync(folder, { recursive: true, force: true });
}
