// @ts-nocheck
// What the three stand-ins for Jitsu's function hosts share: JSON lines to and from the test that drives them. Requests
// of the function go to the test, which sends them.
import { stdin, stdout } from "node:process";
import { createInterface } from "node:readline";

const waiting = new Map();

function say(message) {
  stdout.write(`${JSON.stringify(message)}\n`);
}

/** Has the test send a request: `{status, headers, body}`, or an error with what Jitsu would say. */
export function fetchThroughTest(url, init, extra) {
  return new Promise((resolve, reject) => {
    const fetch = waiting.size + Math.random();
    waiting.set(fetch, { resolve, reject });
    say({ fetch, url, init, extra });
  });
}

export function log(level, message) {
  say({ log: level, message });
}

/** Starts with `load({code, props})`, then runs every event through the function that comes out of it. */
export async function serve(load) {
  let run;
  for await (const line of createInterface({ input: stdin })) {
    const { init, fetch, answer, error, call, event, context } = JSON.parse(line);
    if (init) {
      run = await load(init);
      say({ ready: true });
    } else if (fetch) {
      const { resolve, reject } = waiting.get(fetch);
      waiting.delete(fetch);
      if (error) reject(Object.assign(new Error(error), { name: "TypeError" }));
      else resolve(answer);
    } else {
      run(event, context).then(
        (result) => say({ call, result }),
        ({ name, message, retryPolicy }) => say({ call, error: { name, message, retryPolicy } }),
      );
    }
  }
}
