declare module "proxy-from-env" {
  /** The proxy's address, empty where there is none for this one. */
  export function getProxyForUrl(url: string): string;
}
