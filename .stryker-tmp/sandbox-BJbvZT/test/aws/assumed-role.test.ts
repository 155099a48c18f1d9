// @ts-nocheck
import { AssumedRoles } from "../../src/aws/assumed-role";
import type { AssumeRoleRequest, AwsCredentials } from "../../src/aws/aws";
import { FakeAws, failure, pending, settled } from "./fake-aws";

const HOUR_MS = 3_600_000;
const WAIT_MS = 5000;

const request: AssumeRoleRequest = {
  roleArn: "arn:aws:iam::123456789012:role/router",
  externalId: "source-1",
  sessionName: "router-source-1",
  policy: "{}",
  region: "us-east-1",
  base: { accessKeyId: "AKIDEXAMPLE00000000", secretAccessKey: "one-secret" },
};

let aws: FakeAws;
let roles: AssumedRoles;
const credentials = (wanted = request, timeoutMs = WAIT_MS) => roles.credentials(wanted, timeoutMs);

beforeEach(() => {
  aws = new FakeAws();
  roles = new AssumedRoles(aws);
});

describe("one session", () => {
  test("is assumed once, however many deliveries ask at once and later", async () => {
    const all = await Promise.all(Array.from({ length: 200 }, () => credentials()));
    expect(new Set(all).size).toBe(1);
    expect(await credentials()).toBe(all[0]);
    expect(aws.assumed.map((each) => each.request)).toEqual([request]);
  });

  test("fails for all who wait for it where it fails, and is tried again by the next", async () => {
    aws.onAssumeRole = async () => Promise.reject(failure({ kind: "network", code: "ECONNRESET" }));
    const all = await Promise.allSettled([credentials(), credentials()]);
    expect(all.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(aws.assumed).toHaveLength(1);
    aws.onAssumeRole = async () => aws.session();
    await credentials();
    expect(aws.assumed).toHaveLength(2);
  });

  test("is good without end where STS names none", async () => {
    const { expiresAt: _, ...endless } = aws.session();
    aws.onAssumeRole = async () => endless;
    await credentials();
    aws.pass(1000 * HOUR_MS);
    expect(await credentials()).toBe(endless);
  });
});

describe("renewal", () => {
  const MINUTE_MS = 60_000;

  test("happens in the background, once, while the old session is used", async () => {
    const old = await credentials();
    aws.pass(HOUR_MS - 4 * MINUTE_MS);
    const renewal = pending<AwsCredentials>();
    aws.onAssumeRole = () => renewal.promise;

    expect(await Promise.all([credentials(), credentials(), credentials()])).toEqual([old, old, old]);
    expect(aws.assumed).toHaveLength(2);

    const renewed = aws.session();
    renewal.resolve(renewed);
    await settled();
    expect(await credentials()).toBe(renewed);
    expect(aws.assumed).toHaveLength(2);
  });

  test("does not begin sooner than five minutes before the end", async () => {
    await credentials();
    aws.pass(HOUR_MS - 5 * MINUTE_MS - 1);
    await credentials();
    expect(aws.assumed).toHaveLength(1);
  });

  test("that fails harms nothing while the old session lasts, and is tried again after half a minute", async () => {
    const old = await credentials();
    aws.pass(HOUR_MS - 4 * MINUTE_MS);
    aws.onAssumeRole = async () => Promise.reject(failure({ code: "ServiceUnavailable", status: 503 }));
    for (let second = 0; second < 60; second++) {
      expect(await credentials()).toBe(old);
      await settled();
      aws.pass(1000);
    }
    expect(aws.assumed).toHaveLength(1 + 2);
  });

  test("that is denied harms nothing either", async () => {
    const old = await credentials();
    aws.pass(HOUR_MS - 4 * MINUTE_MS);
    aws.onAssumeRole = async () => Promise.reject(failure({ status: 403 }));
    expect(await credentials()).toBe(old);
    await settled();
    expect(await credentials()).toBe(old);
  });

  test("is waited for where the session is about to end", async () => {
    const old = await credentials();
    aws.pass(HOUR_MS - 9000);
    const renewed = await credentials();
    expect(renewed).not.toBe(old);
    expect(aws.assumed).toHaveLength(2);
  });
});

describe("a denial", () => {
  const denied = failure({ code: "AccessDenied", status: 403 });

  test("is remembered for seconds, not hammered", async () => {
    aws.onAssumeRole = async () => Promise.reject(denied);
    for (let second = 0; second < 10; second++) {
      await expect(credentials()).rejects.toBe(denied);
      aws.pass(1000);
    }
    expect(aws.assumed).toHaveLength(2);
  });

  test("is forgotten once the role can be assumed", async () => {
    aws.onAssumeRole = async () => Promise.reject(denied);
    await expect(credentials()).rejects.toBe(denied);
    aws.pass(5000);
    aws.onAssumeRole = async () => aws.session();
    const session = await credentials();
    expect(await credentials()).toBe(session);
  });

  test("of a renewal counts no more once another has succeeded", async () => {
    await credentials();
    aws.pass(HOUR_MS - 240_000);
    aws.onAssumeRole = async () =>
      Promise.reject(failure({ code: "Throttling", status: 400, retryAfterMs: 2 * HOUR_MS }));
    await credentials();
    await settled();
    aws.pass(30_000);
    aws.onAssumeRole = async () => aws.session();
    await credentials();
    await settled();
    roles.forget(request, await credentials());
    await expect(credentials()).resolves.toHaveProperty("sessionToken");
  });

  test("is remembered for as long as STS asks to wait", async () => {
    const throttled = failure({ code: "Throttling", status: 400, retryAfterMs: 20_000 });
    aws.onAssumeRole = async () => Promise.reject(throttled);
    await expect(credentials()).rejects.toBe(throttled);
    aws.pass(19_999);
    await expect(credentials()).rejects.toBe(throttled);
    expect(aws.assumed).toHaveLength(1);
    aws.pass(1);
    await expect(credentials()).rejects.toBe(throttled);
    expect(aws.assumed).toHaveLength(2);
  });

  test.each([
    ["a failing STS", failure({ code: "InternalFailure", status: 500 })],
    ["a failing network", failure({ kind: "network", code: "ENOTFOUND" })],
    ["a timeout", failure({ kind: "timeout", code: "Timeout" })],
    ["no identity", failure({ kind: "identity", code: "NoIdentity" })],
  ])("is not %s", async (_what, error) => {
    aws.onAssumeRole = async () => Promise.reject(error);
    await expect(credentials()).rejects.toBe(error);
    await expect(credentials()).rejects.toBe(error);
    expect(aws.assumed).toHaveLength(2);
  });

  test("of one tenant is nobody else's", async () => {
    aws.onAssumeRole = async ({ externalId }) => (externalId === "source-1" ? Promise.reject(denied) : aws.session());
    await expect(credentials()).rejects.toBe(denied);
    await expect(credentials({ ...request, externalId: "source-2" })).resolves.toHaveProperty("sessionToken");
  });
});

describe("who waits", () => {
  test("waits no longer than it can; the AssumeRole goes on for the others", async () => {
    const slow = pending<AwsCredentials>();
    aws.onAssumeRole = () => slow.promise;
    const impatient = credentials(request, 100);
    const patient = credentials(request, 5000);
    aws.pass(100);
    await expect(impatient).rejects.toMatchObject({ details: { kind: "timeout" } });
    const session = aws.session();
    slow.resolve(session);
    expect(await patient).toBe(session);
    expect(await credentials()).toBe(session);
    expect(aws.assumed).toHaveLength(1);
  });

  test("does not set the time that the AssumeRole has", async () => {
    await credentials(request, 1);
    expect(aws.assumed[0]?.timeoutMs).toBe(10_000);
  });
});

describe("tenants", () => {
  const base = { accessKeyId: "AKIDEXAMPLE00000000", secretAccessKey: "one-secret" };

  test.each<[string, Partial<AssumeRoleRequest>]>([
    ["another secret beside the same access key ID", { base: { ...base, secretAccessKey: "a-guess" } }],
    ["another access key ID", { base: { ...base, accessKeyId: "AKIDEXAMPLE00000001" } }],
    ["another session token", { base: { ...base, sessionToken: "token" } }],
    ["another external ID", { externalId: "source-2" }],
    ["another role", { roleArn: "arn:aws:iam::123456789012:role/other" }],
    ["another policy", { policy: '{"Version":"2012-10-17"}' }],
    ["another region", { region: "eu-west-1" }],
    ["another session name", { sessionName: "other" }],
  ])("with %s never share a session", async (_what, other) => {
    const mine = await credentials();
    expect(await credentials({ ...request, ...other })).not.toBe(mine);
    expect(aws.assumed).toHaveLength(2);
  });

  test("with the operator's identity and with keys never share a session", async () => {
    const { base: _, ...ambient } = request;
    expect(await credentials(ambient)).not.toBe(await credentials());
  });

  test("cannot be mixed up by what they type", async () => {
    await credentials({ ...request, roleArn: 'a","b', externalId: "c" });
    await credentials({ ...request, roleArn: "a", externalId: 'b","c' });
    expect(aws.assumed).toHaveLength(2);
  });

  test("are bounded in number: who was not heard of for longest is forgotten", async () => {
    roles = new AssumedRoles(aws, 3);
    const tenant = (name: string) => credentials({ ...request, externalId: name });
    for (const name of ["a", "b", "c", "a", "d"]) await tenant(name);
    const asked = aws.assumed.length;
    for (const name of ["a", "c", "d"]) await tenant(name);
    expect(aws.assumed).toHaveLength(asked);
    await tenant("b");
    expect(aws.assumed).toHaveLength(asked + 1);
  });
});

describe("credentials that AWS does not take any more", () => {
  test("are replaced", async () => {
    const old = await credentials();
    roles.forget(request, old);
    expect(await credentials()).not.toBe(old);
  });

  test("do not take those with them that replaced them", async () => {
    const old = await credentials();
    roles.forget(request, old);
    const renewed = await credentials();
    roles.forget(request, old);
    expect(await credentials()).toBe(renewed);
    expect(aws.assumed).toHaveLength(2);
  });

  test("of an unknown session are nothing to forget", () => {
    expect(() => roles.forget(request, { accessKeyId: "x", secretAccessKey: "y" })).not.toThrow();
  });
});
