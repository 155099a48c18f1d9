import dns, { type LookupOptions } from "node:dns";
import { isIP } from "node:net";

const real = dns.lookup;

type Callback = (error: Error) => void;

/** Whether this process finds the address of no name any more. An address is none: to listen at one goes on. */
export function setDnsFailing(failing: boolean): void {
  dns.lookup = failing ? (failingLookup as typeof dns.lookup) : real;
}

function failingLookup(hostname: string, options: object | Callback, callback?: Callback): void {
  if (isIP(hostname)) {
    real(hostname, options as LookupOptions, callback as never);
    return;
  }
  const error = Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), {
    code: "ENOTFOUND",
    syscall: "getaddrinfo",
  });
  const done = callback ?? (options as Callback);
  setImmediate(() => done(error));
}
