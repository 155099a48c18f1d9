// @ts-nocheck
// Runs a function as Jitsu's functions server does for workspaces that share it: as an IIFE, in a worker without any
// permission, from which every request is handed to the server.
import { fetchThroughTest, log, serve } from "./lines.mjs";

await serve(async ({ code, props }) => {
  const worker = new Worker(new URL("./deno-worker-inside.mjs", import.meta.url).href, {
    type: "module",
    deno: { permissions: "none" },
  });
  const calls = new Map();
  worker.onmessage = async ({ data }) => {
    if (data.log) return log(data.log, data.message);
    if (data.fetch) {
      const { fetch, url, init } = data;
      return fetchThroughTest(url, init).then(
        (answer) => worker.postMessage({ fetch, answer }),
        ({ message }) => worker.postMessage({ fetch, error: message }),
      );
    }
    const { resolve, reject } = calls.get(data.call);
    calls.delete(data.call);
    return data.error ? reject(data.error) : resolve(data.result);
  };
  worker.postMessage({ code, props });
  let last = 0;
  return (event, context) =>
    new Promise((resolve, reject) => {
      const call = ++last;
      calls.set(call, { resolve, reject });
      worker.postMessage({ call, event, context });
    });
});
