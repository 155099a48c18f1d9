import { readFileSync } from "node:fs";
import { rootCertificates } from "node:tls";
import { AwsError } from "./aws-error";

/**
 * The proxy by which an address is reached, as the environment has it: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and
 * `NO_PROXY`, in capitals or not. It may hold a password.
 */
export type ProxyFor = (url: string) => string | undefined;

export async function loadProxyFor(): Promise<ProxyFor> {
  const { getProxyForUrl } = await import("proxy-from-env");
  return (url) => getProxyForUrl(url) || undefined;
}

/** A proxy's address as it may be told to anybody. */
export function withoutPassword(proxy: string): string {
  try {
    return new URL(proxy).origin;
  } catch {
    return "(an address that cannot be read)";
  }
}

/**
 * The authorities by which TLS connections are trusted beside Node.js's own, from the file that `AWS_CA_BUNDLE` names:
 * proxies that look into connections, and endpoints of one's own, have such. `NODE_EXTRA_CA_CERTS` is Node.js's affair.
 *
 * @returns nothing where Node.js's own are enough
 * @throws AwsError where the file cannot be read
 */
export function trustedAuthorities(): readonly string[] | undefined {
  const file = process.env["AWS_CA_BUNDLE"];
  if (!file) return undefined;
  try {
    const extra = process.env["NODE_EXTRA_CA_CERTS"];
    return [...rootCertificates, ...(extra ? [readFileSync(extra, "utf8")] : []), readFileSync(file, "utf8")];
  } catch (error) {
    const { code = "Unreadable" } = error as NodeJS.ErrnoException;
    const message = `AWS_CA_BUNDLE names a file that cannot be read (${code}): ${file}`;
    throw new AwsError({ service: "sts", kind: "network", code: "InvalidCaBundle", message, unsent: true });
  }
}
