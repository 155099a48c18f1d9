// @ts-nocheck
const waiting = new Map();
const level = (log) => (message) => self.postMessage({ log, message });
const log = { info: level("info"), warn: level("warn"), debug: level("debug"), error: level("error") };

async function fetch(url, init) {
  const { status, headers, body } = await new Promise((resolve, reject) => {
    const fetch = Math.random();
    waiting.set(fetch, { resolve, reject });
    self.postMessage({ fetch, url, init });
  });
  return { status, ok: status < 300, headers, body, text: async () => body, json: async () => JSON.parse(body) };
}

let handler;
let props;

self.onmessage = async ({ data }) => {
  if (data.code) {
    handler = new Function(`${data.code}\nreturn __udf;`)().default;
    props = data.props;
  } else if (data.fetch) {
    const { resolve, reject } = waiting.get(data.fetch);
    waiting.delete(data.fetch);
    if (data.error) reject(new Error(data.error));
    else resolve(data.answer);
  } else {
    const { call, event, context } = data;
    try {
      self.postMessage({ call, result: await handler(event, { ...context, log, fetch, props }) });
    } catch ({ name, message, retryPolicy }) {
      self.postMessage({ call, error: { name, message, retryPolicy } });
    }
  }
};
