// @ts-nocheck
// What rudder-transformer does around a destination's two files, as far as it can be seen from outside: where it looks for
// them, how it calls them, what it makes of what they return and throw. Usage: node transformer.cjs <build>/src
const { createServer } = require("node:http");
const { existsSync, readdirSync } = require("node:fs");
const { createRequire } = require("node:module");
const { join, resolve } = require("node:path");

const build = resolve(process.argv[2]);
const load = createRequire(join(build, "index.js"));
load("engine");
const { BaseError } = load("@rudderstack/integrations-lib");
const features = load("./features.js").default;

const networkHandlers = new Map();
for (const name of readdirSync(join(build, "v1", "destinations"))) {
  const file = join(build, "v1", "destinations", name, "networkHandler.js");
  if (existsSync(file)) networkHandlers.set(name, load(file).networkHandler);
}
const transformOf = (name) => load(`./v0/destinations/${name}/transform`);

function errorDetails(destType, metadata, feature) {
  const { destinationId, workspaceId } = metadata ?? {};
  return {
    destType: destType.toUpperCase(),
    module: "destination",
    implementation: "native",
    feature,
    destinationId,
    workspaceId,
  };
}

function reported(error, details) {
  const known = error instanceof BaseError;
  return {
    statusCode: error.status ?? 400,
    error: error.message,
    statTags: known ? { ...error.statTags, ...details } : { errorCategory: "transformation" },
  };
}

/** `{{ event.path || "default" }}` in a setting is filled in from the event before the destination sees it. */
function filledIn(value, event) {
  if (typeof value === "string") {
    const template = /^\{\{\s*([\w.]+)\s*\|\|(.*)\}\}$/.exec(value.trim());
    if (!template) return value;
    const path = template[1].replace(/^event\./, "message.").split(".");
    return path.reduce((part, key) => part?.[key], event) ?? template[2].replaceAll('"', "").trim();
  }
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, filledIn(inner, event)]);
  return Array.isArray(value) ? entries.map(([, inner]) => inner) : Object.fromEntries(entries);
}

function withConfig(event) {
  if (!event?.destination) return event;
  return {
    ...event,
    message: { ...event.message },
    destination: { ...event.destination, Config: filledIn(event.destination.Config, event) },
  };
}

async function atProcessor(destType, events) {
  return Promise.all(
    events.map(withConfig).map(async (event) => {
      try {
        const output = await transformOf(destType).process(event, {});
        return { output: { ...output, userId: output.userId || "" }, metadata: event.metadata, statusCode: 200 };
      } catch (error) {
        return { metadata: event.metadata, ...reported(error, errorDetails(destType, event.metadata, "processor")) };
      }
    }),
  );
}

async function atRouter({ input, destType }) {
  if (!Array.isArray(input) || input.length === 0) {
    return [{ metadata: [{ destType }], batched: false, statusCode: 400, error: "Invalid event array", statTags: {} }];
  }
  const groups = Map.groupBy
    ? Map.groupBy(input.map(withConfig), ({ destination }) => destination?.ID)
    : new Map([[undefined, input.map(withConfig)]]);
  const answers = await Promise.all(
    [...groups.values()].map(async (events) => {
      const details = errorDetails(destType, events[0].metadata, "router");
      try {
        const responses = await transformOf(destType).processRouterDest(events, {});
        return responses.map((response) =>
          response.error !== undefined && response.statTags && Object.keys(response.statTags).length > 0
            ? { ...response, statTags: { ...response.statTags, ...details } }
            : response,
        );
      } catch (error) {
        return [{ metadata: events.map(({ metadata }) => metadata), batched: false, ...reported(error, details) }];
      }
    }),
  );
  return answers.flat();
}

async function delivered(destType, request) {
  try {
    const NetworkHandler = networkHandlers.get(destType);
    const handler = new NetworkHandler();
    const destinationResponse = handler.processAxiosResponse(await handler.proxy(request, destType));
    return handler.responseHandler({
      destinationResponse,
      rudderJobMetadata: request.metadata,
      destType,
      destinationRequest: request,
    });
  } catch (error) {
    const {
      statusCode,
      error: message,
      statTags,
    } = reported(error, errorDetails(destType, request.metadata[0], "dataDelivery"));
    const response = request.metadata.map((metadata) => ({ error: message, statusCode, metadata }));
    return { response, statTags, message, status: statusCode };
  }
}

const server = createServer(async (request, response) => {
  let body = "";
  for await (const chunk of request) body += chunk;
  const answer = (status, value) => {
    response.writeHead(status, { "content-type": "application/json", apiVersion: "2" });
    response.end(JSON.stringify(value));
  };
  try {
    const proxy = /^\/v1\/destinations\/(\w+)\/proxy$/.exec(request.url);
    const processor = /^\/v0\/destinations\/(\w+)$/.exec(request.url);
    if (request.url === "/features") answer(200, features);
    else if (request.url === "/routerTransform") answer(200, { output: await atRouter(JSON.parse(body)) });
    else if (processor) answer(200, await atProcessor(processor[1], JSON.parse(body)));
    else if (proxy) answer(200, { output: await delivered(proxy[1], JSON.parse(body)) });
    else answer(404, { error: "no such route" });
  } catch (error) {
    answer(500, { error: error.message });
  }
});

server.listen(0, "127.0.0.1", () => process.stdout.write(`${JSON.stringify({ port: server.address().port })}\n`));
// Ends with the test that started it, whatever becomes of that.
process.stdin.resume().on("end", () => process.exit(0));
