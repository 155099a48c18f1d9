import type { StatTags } from "./contract";

type HostError = Error & { readonly status: number; readonly statTags: StatTags };
type HostErrorClass = new (message: string, status: number, statTags: StatTags) => HostError;

/** Stands in for the host's class where the host has loaded none. */
class OwnError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly statTags: StatTags,
  ) {
    super(message);
  }
}

/**
 * An error in the host's own class. The transformer reports an error of any other class as its own bug, without the
 * error's tags; its class comes from a package that is the transformer's and not ours to require, so it is looked up
 * among the modules that the transformer has loaded.
 *
 * @param name as the host's errors of this kind are called, e.g. `ConfigurationError`
 */
export function hostError(name: string, message: string, status: number, statTags: StatTags = {}): HostError {
  Class ??= loadedBaseError() ?? OwnError;
  const error = new Class(message, status, statTags);
  error.name = name;
  return error;
}

/** Looked up with the first event that fails: the transformer has loaded its own modules by then, and a look takes a while. */
let Class: HostErrorClass | undefined;

function loadedBaseError(): HostErrorClass | undefined {
  const classes = Object.entries(require.cache)
    .filter(([file]) => /[\\/]@rudderstack[\\/]integrations-lib[\\/]/.test(file))
    // Other packages may bring copies of their own, deeper down.
    .sort(([a], [b]) => a.length - b.length)
    .map(([, module]): unknown => module?.exports?.BaseError);
  return classes.find((found): found is HostErrorClass => typeof found === "function");
}
