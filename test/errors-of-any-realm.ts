import { types } from "node:util";

/**
 * Jest runs tests in a realm of its own, where an error of Node's network is no `instanceof Error`; the AWS SDK then wraps
 * it and loses its code. Import this to have errors as they are in a plain process.
 */
Object.defineProperty(Error, Symbol.hasInstance, {
  configurable: true,
  value(this: unknown, value: unknown): boolean {
    return Function.prototype[Symbol.hasInstance].call(this, value) || (this === Error && types.isNativeError(value));
  },
});
