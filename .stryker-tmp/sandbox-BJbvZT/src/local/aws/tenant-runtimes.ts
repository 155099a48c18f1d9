// @ts-nocheck
import type { Invocation, Returned, Runtime } from "./runtime";

/** Tenants whose environments are kept warm, per version of a function. */
const maxTenants = 16;

interface Tenant {
  readonly runtime: Runtime;
  running: number;
}

/** Runs a function in tenant isolation mode: no tenant gets at an environment that has served another one. */
export class TenantRuntimes implements Runtime {
  readonly #tenants = new Map<string, Tenant>();

  /** @param start makes the runtime of one tenant */
  constructor(private readonly start: () => Runtime) {}

  async run(invocation: Invocation, log: (line: string) => void): Promise<Returned> {
    const tenant = this.#tenant(invocation.tenantId ?? "");
    tenant.running++;
    try {
      return await tenant.runtime.run(invocation, log);
    } finally {
      tenant.running--;
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#tenants.values()].map(({ runtime }) => runtime.close()));
  }

  #tenant(id: string): Tenant {
    const tenant = this.#tenants.get(id) ?? { runtime: this.start(), running: 0 };
    this.#tenants.delete(id);
    this.#tenants.set(id, tenant);
    if (this.#tenants.size > maxTenants) {
      // The one that was used longest ago.
      const idle = [...this.#tenants].find(([, { running }]) => running === 0);
      if (idle && idle[0] !== id) {
        this.#tenants.delete(idle[0]);
        void idle[1].runtime.close();
      }
    }
    return tenant;
  }
}
