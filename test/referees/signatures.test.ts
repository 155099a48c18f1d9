import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { createNodeAws } from "../../src/aws/node";
import { createDestinationIn } from "../../src/destination/create-destination";
import { pointEnvironmentAt } from "../iam/scene";
import { routerOn } from "../router";
import { python } from "./python";

const KEYS = { accessKeyId: "AKIDEXAMPLE000000000", secretAccessKey: "not+the/secret/only+for+this+test0000000" };

interface Arrived {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const environment = { ...process.env };
let server: Server;
let url: string;
let arrived: Arrived[];

beforeEach(async () => {
  arrived = [];
  server = createServer(async (request, response) => {
    const { method = "", rawHeaders } = request;
    const pairs = rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [[name, rawHeaders[i + 1] ?? ""] as const] : []));
    arrived.push({ method, url: url + request.url, headers: Object.fromEntries(pairs), body: await text(request) });
    response.writeHead(request.headers["x-amz-invocation-type"] === "Event" ? 202 : 200).end("null");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  pointEnvironmentAt(url);
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
  process.env = { ...environment };
});

/** Sends an event by each of these settings, and holds what arrived against botocore's own signature of it. */
async function expectSignedAlike(settings: readonly object[], event: object): Promise<void> {
  const aws = createNodeAws();
  const surroundings = routerOn(aws);
  for (const each of settings) {
    const destination = createDestinationIn(surroundings, { region: "us-east-1", ...KEYS, ...each });
    const result = await destination.deliver(event, { sourceId: "my-source-id", workspaceId: "My Workspace/7" });
    expect(result).toMatchObject({ outcome: "delivered" });
  }
  const requests = arrived.map((request) => ({ ...request, ...KEYS, service: "lambda", region: "us-east-1" }));
  const signatures = await python<readonly { ours: string; botocore: string }[]>("signatures.py", requests);

  expect(signatures).toHaveLength(settings.length);
  for (const { ours, botocore } of signatures) expect(ours).toBe(botocore);
  for (const { headers } of arrived) {
    const sent = Object.keys(headers).map((name) => name.toLowerCase());
    const [, signed = ""] =
      /SignedHeaders=([^,]*)/.exec(headers["authorization"] ?? headers["Authorization"] ?? "") ?? [];
    // Lambda refuses what of its own is not signed.
    expect(signed.split(";")).toEqual(expect.arrayContaining(sent.filter((name) => name.startsWith("x-amz-"))));
  }
}

test("botocore signs what we send as we do", async () => {
  await expectSignedAlike(
    [
      { lambda: "router-events" },
      { lambda: "arn:aws:lambda:us-east-1:123456789012:function:router-events:live", logType: "Tail" },
      { lambda: "123456789012:function:router-events:$LATEST", invocationType: "Event" },
      { lambda: "router-events", clientContext: { environment: "zürich  🚆" } },
    ],
    { type: "track", event: "Order Completed", userId: "u-1", properties: { what: "Zürich 🚆  two  spaces" } },
  );
});

test("botocore signs the headers of tenants and durable executions as we do, whatever letters are in them", async () => {
  const event = { type: "track", event: "Order Completed", userId: "zoë", messageId: "m-1" };
  await expectSignedAlike(
    [
      { lambda: "router-events", tenantId: "acme  corp = 1+1 @ home" },
      { lambda: "router-events", tenantId: "{user}" },
      { lambda: "router-events:live", executionName: "MessageId" },
      { lambda: "router-events:live", executionName: "MessageId", tenantId: "{workspace}", invocationType: "Event" },
    ],
    event,
  );
  const header = (i: number, wanted: string) =>
    Object.entries(arrived[i]?.headers ?? {}).find(([name]) => name.toLowerCase() === wanted)?.[1];

  expect(header(0, "x-amz-tenant-id")).toBe("acme  corp = 1+1 @ home");
  expect(header(1, "x-amz-tenant-id")).toMatch(/^sha256:/);
  expect(header(2, "x-amz-durable-execution-name")).toMatch(/^[0-9a-f]{64}$/);
  expect(header(3, "x-amz-durable-execution-name")).toBe(header(2, "x-amz-durable-execution-name"));
});
