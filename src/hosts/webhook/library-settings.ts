import type { Hono } from "hono";
import type { ReceiverContext, RuntimeBindings } from "./arrival";
import { allowOrigin } from "./browsers";
import type { Connections } from "./connection";
import { basicCredentials } from "./credentials";
import { Refusal } from "./refusal";
import { findWriteKey } from "./write-keys";

/** What browsers' libraries load before they send: that there is one destination, behind this server. */
export function libraryRoutes(app: Hono<{ Bindings: RuntimeBindings }>, connections: () => Connections): void {
  // analytics.js: sends to `apiHost`, which stands without its scheme.
  app.get("/v1/projects/:key/settings", (c) =>
    told(c, connections(), c.req.param("key"), (key) => ({
      integrations: {
        "Segment.io": { apiKey: key, apiHost: `${c.req.header("host") ?? "localhost"}/v1`, protocol: schemeOf(c) },
      },
      plan: { track: { __default: { enabled: true, integrations: {} } } },
      edgeFunction: {},
      analyticsNextEnabled: true,
      middlewareSettings: {},
      enabledMiddleware: {},
      metrics: { sampleRate: 0 },
      legacyVideoPluginsEnabled: false,
      remotePlugins: [],
    })),
  );
  // RudderStack's: an enabled source whose events all go through its server.
  for (const path of ["/sourceConfig", "/sourceConfig/"]) {
    app.get(path, (c) =>
      told(c, connections(), basicCredentials(c.req.header("authorization")) ?? c.req.query("writeKey"), (key) => ({
        source: {
          id: key,
          name: key,
          writeKey: key,
          enabled: true,
          workspaceId: "",
          updatedAt: "2026-01-01T00:00:00.000Z",
          config: { statsCollection: { errors: { enabled: false }, metrics: { enabled: false } } },
          connections: [],
          destinations: [],
          dataplanes: {},
        },
      })),
    );
  }
}

function told(
  c: ReceiverContext,
  connections: Connections,
  said: string | undefined,
  settings: (key: string) => object,
): Response {
  try {
    const key = findWriteKey(connections, said);
    const allowed = allowOrigin(c, connections, key);
    // The host in it is the request's own.
    return c.json(settings(key.id), 200, { ...allowed, "cache-control": "no-store" });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { status, code, message } = error;
    return c.json({ success: false, code, message }, status);
  }
}

function schemeOf(c: ReceiverContext): string {
  return c.req.header("x-forwarded-proto") === "https" ? "https" : new URL(c.req.url).protocol.slice(0, -1);
}
