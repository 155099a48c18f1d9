import { base64 } from "../../encoding/base64";
import { BoundedMap } from "../../encoding/bounded-map";
import { sha256 } from "../../encoding/sha256";
import type { JsonObject } from "../../events/segment-event";
import { settingsFromConfig } from "./host-config";

/** Configurations of which something is kept at most; the host hands them over anew with every request. */
const MAX_CONFIGS = 1000;
/** Bytes that all of it may take, by a generous estimate: a template makes another configuration of each event. */
const MAX_BYTES = 64 * 1024 * 1024;
/** Bytes kept for a character of a configuration: twice as text, and what is made of it. */
const BYTES_PER_CHARACTER = 10;

/** Configurations that came once, of which it is remembered that they did, and no more. */
const MAX_SEEN_ONCE = 10_000;

/** What there is for a destination's configuration. */
export interface ByConfig<Made> {
  /** @param workspaceId what RudderStack's native LAMBDA destination sends as the external ID */
  for(config: Readonly<JsonObject>, workspaceId: string | undefined): Made;
}

/**
 * What is made of a destination's configuration, made once and not per event. It is kept from the second time that the configuration comes: what
 * a template makes of an event comes once, and would only push out what others need.
 */
export class MadeByConfig<Made> implements ByConfig<Made> {
  readonly #make: (settings: JsonObject) => Made;
  readonly #made = new BoundedMap<string, { readonly made: Made }>({
    entries: MAX_CONFIGS,
    weight: MAX_BYTES,
    weigh: (_made, key) => key.length * BYTES_PER_CHARACTER,
  });

  #latest: { readonly key: string; readonly made: Made } | undefined;
  readonly #seenOnce = new BoundedMap<string, true>({ entries: MAX_SEEN_ONCE });

  /** @param make of a user's settings */
  constructor(make: (settings: JsonObject) => Made) {
    this.#make = make;
  }

  for(config: Readonly<JsonObject>, workspaceId: string | undefined): Made {
    const key = JSON.stringify([config, workspaceId]);
    const known = this.#made.get(key);
    if (known) return known.made;
    // The events of one request mostly have one configuration, and are put together by what is made of it.
    const made = this.#latest?.key === key ? this.#latest.made : this.#make(settingsFromConfig(config, workspaceId));
    this.#latest = { key, made };
    if (this.#cameBefore(key)) this.#made.set(key, { made });
    return made;
  }

  #cameBefore(key: string): boolean {
    const digest = base64(sha256(key));
    if (this.#seenOnce.get(digest)) return true;
    this.#seenOnce.set(digest, true);
    return false;
  }
}
