import { parseSettings } from "../settings/settings";
import { SettingsError } from "../settings/settings-error";
import type { HostedDestination, Surroundings } from "./contract";
import { LambdaDestination } from "./lambda-destination";
import { UnusableDestination } from "./unusable-destination";

/**
 * A destination for one user's settings. Never throws: settings that are no good make every delivery a retry that says
 * what is wrong with them.
 */
export function createDestinationIn(surroundings: Surroundings, settings: unknown): HostedDestination {
  try {
    const operator = surroundings.operator();
    return new LambdaDestination(surroundings, parseSettings(settings, operator), operator);
  } catch (error) {
    if (error instanceof SettingsError) return new UnusableDestination(error);
    throw error;
  }
}
