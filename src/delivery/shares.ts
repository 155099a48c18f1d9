/** What one tenant has under way, and all of them together. */
interface Share {
  invocations: number;
  bytes: number;
}

/**
 * A bound on what is under way in a process, shared so that nobody can use it up: a tenant may have as much under way as is
 * free (dynamic thresholds; Choudhury and Hahne, 1998). Alone it gets half of all, beside another that takes what it can get a
 * third; whoever comes then finds the rest.
 */
export class Shares {
  readonly #all: Readonly<Share>;
  readonly #used: Share = { invocations: 0, bytes: 0 };
  readonly #byTenant = new Map<string, Share>();

  /** @param all invocations and bytes of payloads at most */
  constructor(all: Readonly<Share>) {
    this.#all = all;
  }

  /** @returns whether the tenant may have one more under way; who may has to {@link give} it back */
  take(tenant: string, bytes: number): boolean {
    const own = this.#byTenant.get(tenant) ?? { invocations: 0, bytes: 0 };
    const free = this.#all.invocations - this.#used.invocations;
    const freeBytes = this.#all.bytes - this.#used.bytes;
    if (own.invocations >= free || own.bytes + bytes > freeBytes) return false;
    if (own.invocations === 0) this.#byTenant.set(tenant, own);
    add(own, 1, bytes);
    add(this.#used, 1, bytes);
    return true;
  }

  give(tenant: string, bytes: number): void {
    const own = this.#byTenant.get(tenant);
    if (!own) return;
    add(own, -1, -bytes);
    add(this.#used, -1, -bytes);
    if (own.invocations === 0) this.#byTenant.delete(tenant);
  }
}

function add(share: Share, invocations: number, bytes: number): void {
  share.invocations += invocations;
  share.bytes += bytes;
}
