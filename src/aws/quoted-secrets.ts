import type { AwsCredentials } from "./aws";
import type { WireAnswer } from "./transport";

const INSTEAD = "(hidden)";

/**
 * The answer without what the request's headers say of its sender: AWS, or whoever answers in its place, has read them and
 * may quote them anywhere.
 */
export function withoutSecretsOf(answer: WireAnswer, sender: AwsCredentials): WireAnswer {
  const secrets = secretsOf(sender);
  const hide = (text: string) =>
    secrets.reduce((left, secret) => (left.includes(secret) ? left.replaceAll(secret, INSTEAD) : left), text);
  return {
    status: answer.status,
    body: hide(answer.body),
    header(name) {
      const value = answer.header(name);
      return value === undefined ? undefined : hide(value);
    },
  };
}

/** The same credentials send many requests. */
const known = new WeakMap<AwsCredentials, readonly string[]>();

function secretsOf(sender: AwsCredentials): readonly string[] {
  let secrets = known.get(sender);
  if (!secrets) {
    secrets = [sender.accessKeyId, sender.sessionToken ?? ""].flatMap(written);
    known.set(sender, secrets);
  }
  return secrets;
}

/** As it is, with the slashes of some JSON writers, and in a URL. */
function written(secret: string): string[] {
  return secret === "" ? [] : [...new Set([secret, secret.replaceAll("/", "\\/"), encodeURIComponent(secret)])];
}
