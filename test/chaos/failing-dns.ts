import dns from "node:dns";

const real = dns.lookup;

type Callback = (error: Error) => void;

/** Whether this process finds the address of no name any more. */
export function setDnsFailing(failing: boolean): void {
  dns.lookup = failing ? (failingLookup as typeof dns.lookup) : real;
}

function failingLookup(hostname: string, options: object | Callback, callback?: Callback): void {
  const error = Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), {
    code: "ENOTFOUND",
    syscall: "getaddrinfo",
  });
  const done = callback ?? (options as Callback);
  setImmediate(() => done(error));
}
