// @ts-nocheck
import { Hono } from "hono";
import type { Metrics } from "./metrics";

/** What operators ask for, on a port of its own: `/metrics`, `/healthz`, `/readyz`. */
export function adminApp(metrics: Metrics, isReady: () => boolean): Hono {
  const app = new Hono();
  app.get("/metrics", async (c) => c.body(await metrics.text(), 200, { "content-type": metrics.contentType }));
  app.get("/healthz", (c) => c.json({ ok: true }));
  app.get("/readyz", (c) => c.json({ ok: isReady() }, isReady() ? 200 : 503));
  return app;
}
