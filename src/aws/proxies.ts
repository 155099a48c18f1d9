import { readFileSync } from "node:fs";
import http, { type Agent, type AgentOptions } from "node:http";
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

/** Where EC2 tells an instance its role's session. */
const METADATA_HOSTS: readonly string[] = ["169.254.169.254", "fd00:ec2::254"];

/** Node.js's agent as it is from 22 on, where it was told to heed the environment's proxies. */
interface EnvironmentAgent extends Agent {
  readonly options: AgentOptions & { readonly proxyEnv?: Readonly<NodeJS.ProcessEnv> };
}

/**
 * Takes EC2's metadata service out of what Node.js itself sends through a proxy (`NODE_USE_ENV_PROXY`, from Node.js 22 on):
 * a proxy would see the session, or answer with its own machine's. The AWS SDK asks that service by the global agent and
 * can be given no other, so the global agent gives way to one that differs in nothing else.
 */
export function askMetadataDirectly(): void {
  const { proxyEnv, ...options } = (http.globalAgent as EnvironmentAgent).options;
  if (!proxyEnv) return;
  const bypassed = (proxyEnv["no_proxy"] ?? proxyEnv["NO_PROXY"] ?? "").split(",").filter(Boolean);
  const other = process.env["AWS_EC2_METADATA_SERVICE_ENDPOINT"];
  const hosts = [
    ...METADATA_HOSTS,
    ...(other && URL.canParse(other) ? [new URL(other).hostname.replace(/[[\]]/g, "")] : []),
  ];
  if (bypassed.includes("*") || hosts.every((host) => bypassed.includes(host))) return;
  const no_proxy = [...bypassed, ...hosts].join(",");
  http.globalAgent = new http.Agent({ ...options, proxyEnv: { ...proxyEnv, no_proxy } } as AgentOptions);
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
