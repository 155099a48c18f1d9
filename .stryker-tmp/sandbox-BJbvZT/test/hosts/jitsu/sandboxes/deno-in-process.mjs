// @ts-nocheck
// Runs a function as Jitsu's functions server does for itself: imported as a module, with a `fetch` that returns real
// responses and keeps out of the log what it is asked to.
import { fetchThroughTest, log, serve } from "./lines.mjs";

const level = (name) => (message) => log(name, message);

await serve(async ({ file, props }) => {
  const { default: handler } = await import(file);
  const fetch = async (url, init, extra) => {
    const { status, headers, body } = await fetchThroughTest(url, init, extra);
    return new Response(status === 204 ? null : body, { status, headers });
  };
  const host = {
    log: { info: level("info"), warn: level("warn"), debug: level("debug"), error: level("error") },
    fetch,
    props,
  };
  return (event, context) => handler(event, { ...context, ...host });
});
