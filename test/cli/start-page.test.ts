import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { runCli, startCli } from "./run-cli";

/** Starts the local router, and gives its page's address and token once it is there. */
async function startPage(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const child = startCli(["start", "--port", "0", ...args], env);
  let said = "";
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes("Ctrl-C ends")) resolve();
    });
    child.once("exit", () => reject(new Error(said)));
  });
  const [, url = ""] = /^Page +(http:\S+)\//m.exec(said) ?? [];
  const [, token = ""] = /content="([\w-]{32})"/.exec(await (await fetch(url)).text()) ?? [];
  const headers = { "x-page-token": token };
  return {
    url,
    async check(target: string, settings: object): Promise<Record<string, unknown>[]> {
      const response = await fetch(`${url}/api/check`, {
        method: "POST",
        headers,
        body: JSON.stringify({ source: "website", target, settings, send: false }),
      });
      expect(response.status).toBe(200);
      return (await response.text())
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    },
    async settings(): Promise<object> {
      const response = await fetch(`${url}/api/state`, { headers });
      const { sources } = (await response.json()) as { sources: { id: string; settings: object }[] };
      return sources.find(({ id }) => id === "website")?.settings ?? {};
    },
    async end(): Promise<void> {
      child.kill("SIGINT");
      if (child.exitCode === null) await once(child, "exit");
    },
  };
}

test("the page and all that belongs to it come from the router's own address", async () => {
  const page = await startPage([]);
  try {
    for (const path of ["/page.js", "/page.css", "/icon.svg"]) {
      const response = await fetch(page.url + path);
      expect([response.status, (await response.text()).length > 100]).toEqual([200, true]);
    }
  } finally {
    await page.end();
  }
});

test("with --aws the check goes to the AWS of the terminal, while deliveries stay on this machine", async () => {
  // Nobody listens there: what is meant for it shows by failing.
  const page = await startPage(["--aws"], {
    AWS_ENDPOINT_URL: "http://127.0.0.1:1",
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
    AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  });
  try {
    const settings = await page.settings();
    const [local, aws] = [await page.check("local", settings), await page.check("aws", settings)];

    expect(local.at(-1)).toEqual({ ok: true });
    expect(aws.at(-1)).toEqual({ ok: false });
    expect(aws.at(-2)).toMatchObject({ step: { step: "identity", diagnosis: { name: "NoRouteToAws" } } });
  } finally {
    await page.end();
  }
});

test("docs/page.md names no option that start does not have", async () => {
  const [page, { out: help }] = await Promise.all([
    readFile(join(__dirname, "..", "..", "docs", "page.md"), "utf8"),
    runCli(["start", "--help"]),
  ]);
  const options = [...page.matchAll(/ (--\w[\w-]*)/g)].map(([, option]) => option);

  expect(new Set(options)).toEqual(new Set(["--port", "--open", "--functions", "--aws"]));
  for (const option of options) expect(help).toContain(option);
});
