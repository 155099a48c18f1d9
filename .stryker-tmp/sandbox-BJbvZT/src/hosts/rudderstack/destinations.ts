// @ts-nocheck
import type { Destination } from "../../destination";
import type { JsonObject } from "../../events/segment-event";
import { settingsFromConfig } from "./host-config";

/** Destinations kept at most; the host hands the configuration over anew with every request. */
const MAX_DESTINATIONS = 1000;

/** Destinations by configuration: settings are checked once, not per event. The least recently used is forgotten. */
export class Destinations {
  readonly #create: (settings: unknown) => Destination;
  readonly #byConfig = new Map<string, Destination>();

  constructor(create: (settings: unknown) => Destination) {
    this.#create = create;
  }

  /** @param workspaceId what RudderStack's native LAMBDA destination sends as the external ID */
  for(config: Readonly<JsonObject>, workspaceId: string | undefined): Destination {
    const key = JSON.stringify([config, workspaceId]);
    const destination = this.#byConfig.get(key) ?? this.#create(settingsFromConfig(config, workspaceId));
    this.#byConfig.delete(key);
    this.#byConfig.set(key, destination);
    if (this.#byConfig.size > MAX_DESTINATIONS) {
      const [oldest] = this.#byConfig.keys();
      if (oldest !== undefined) this.#byConfig.delete(oldest);
    }
    return destination;
  }
}
