// @ts-nocheck
// Runs a function as Jitsu versions with `isolated-vm` do: in an isolate of 128 MB with nothing but ECMAScript and the
// references that the host lends it. Its `fetch` takes no third parameter.
import ivm from "isolated-vm";
import { fetchThroughTest, log, serve } from "./lines.mjs";

const HOST = `
import handler from "function";
const copied = { arguments: { copy: true } };
const awaited = { ...copied, result: { promise: true, copy: true } };
const level = (name) => (...args) => lentLog.apply(undefined, [name, ...args], copied);
const log = Object.fromEntries(["info", "warn", "debug", "error"].map((name) => [name, level(name)]));
const fetch = async (url, init) => {
  const { status, headers, body } = JSON.parse(await lentFetch.apply(undefined, [url, init], awaited));
  return { status, ok: status < 300, headers, body, text: async () => body, json: async () => JSON.parse(body) };
};
export async function run(event, context) {
  try {
    return JSON.stringify({ result: await handler(event, { ...context, props, log, fetch }) });
  } catch ({ name, message, retryPolicy }) {
    return JSON.stringify({ error: { name, message, retryPolicy } });
  }
}`;

await serve(async ({ code, props }) => {
  const isolate = new ivm.Isolate({ memoryLimit: 128 });
  const context = await isolate.createContext();
  await context.global.set("props", new ivm.ExternalCopy(props).copyInto());
  await context.global.set("lentLog", new ivm.Reference((level, message) => log(level, message)));
  await context.global.set(
    "lentFetch",
    new ivm.Reference(async (url, init) => JSON.stringify(await fetchThroughTest(url, init))),
  );
  const handler = await isolate.compileModule(code);
  await handler.instantiate(context, (name) => {
    throw new Error(`import is not allowed: ${name}`);
  });
  const host = await isolate.compileModule(HOST);
  await host.instantiate(context, () => handler);
  await host.evaluate();
  const run = await host.namespace.get("run", { reference: true });
  return async (event, eventContext) => {
    const argumentsOf = [event, eventContext].map((value) => new ivm.ExternalCopy(value).copyInto());
    const { result, error } = JSON.parse(await run.apply(undefined, argumentsOf, { result: { promise: true } }));
    if (error) throw error;
    return result;
  };
});
