import type { AssumeRoleRequest, AwsCredentials } from "../../src/aws/aws";
import { Sessions } from "../../src/aws/sessions";
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
let sessions: Sessions;
const credentials = (wanted = request, timeoutMs = WAIT_MS) => sessions.credentials(wanted, aws.deadline(timeoutMs));

beforeEach(() => {
  aws = new FakeAws();
  sessions = new Sessions(aws);
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
    const old = await credentials();
    await expect(sessions.afterExpiry(request, old, aws.deadline())).resolves.toHaveProperty("sessionToken");
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

  test("is remembered for a minute at most, whatever STS asks: what is mended has to be noticed", async () => {
    aws.onAssumeRole = async () =>
      Promise.reject(failure({ code: "Throttling", status: 400, retryAfterMs: 24 * HOUR_MS }));
    await expect(credentials()).rejects.toHaveProperty("details.code", "Throttling");
    aws.pass(59_999);
    await expect(credentials()).rejects.toHaveProperty("details.code", "Throttling");
    expect(aws.assumed).toHaveLength(1);
    aws.pass(1);
    aws.onAssumeRole = async () => aws.session();
    await expect(credentials()).resolves.toHaveProperty("sessionToken");
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
    sessions = new Sessions(aws, 3);
    const tenant = (name: string) => credentials({ ...request, externalId: name });
    for (const name of ["a", "b", "c", "a", "d"]) await tenant(name);
    const asked = aws.assumed.length;
    for (const name of ["a", "c", "d"]) await tenant(name);
    expect(aws.assumed).toHaveLength(asked);
    await tenant("b");
    expect(aws.assumed).toHaveLength(asked + 1);
  });
});

describe("a session that Lambda calls expired", () => {
  const afterExpiry = (old: AwsCredentials) => sessions.afterExpiry(request, old, aws.deadline());

  test("is replaced, once for all who hear it", async () => {
    const old = await credentials();
    const [one, other] = await Promise.all([afterExpiry(old), afterExpiry(old)]);
    expect(one).not.toBe(old);
    expect(other).toBe(one);
    expect(aws.assumed).toHaveLength(2);
  });

  test("does not take that with it which replaced it", async () => {
    const old = await credentials();
    const renewed = await afterExpiry(old);
    expect(await afterExpiry(old)).toBe(renewed);
    expect(aws.assumed).toHaveLength(2);
  });
});

describe("a session that Lambda refuses", () => {
  const MINUTE_MS = 60_000;
  const afterRefusal = (refused: AwsCredentials) => sessions.afterRefusal(request, refused, aws.deadline());

  test("is assumed anew from a minute on: it may have been revoked", async () => {
    const revoked = await credentials();
    aws.pass(MINUTE_MS - 1);
    expect(await afterRefusal(revoked)).toBeUndefined();
    aws.pass(1);
    const fresh = await afterRefusal(revoked);
    expect(fresh).not.toBe(revoked);
    expect(await credentials()).toBe(fresh);
  });

  test("is assumed anew once for all who wait, while the others go on with the old one", async () => {
    const refused = await credentials();
    aws.pass(MINUTE_MS);
    const asked = pending<AwsCredentials>();
    aws.onAssumeRole = () => asked.promise;
    const waiting = [afterRefusal(refused), afterRefusal(refused), afterRefusal(refused)];
    expect(await credentials()).toBe(refused);
    const fresh = aws.session();
    asked.resolve(fresh);
    expect(await Promise.all(waiting)).toEqual([fresh, fresh, fresh]);
    expect(aws.assumed).toHaveLength(2);
  });

  test("is assumed anew once in five minutes, however often it is refused: the role may lack one function", async () => {
    let current = await credentials();
    for (let second = 0; second < 15 * 60; second++) {
      aws.pass(1000);
      current = (await afterRefusal(current)) ?? current;
    }
    // After 1, 6 and 11 minutes.
    expect(aws.assumed).toHaveLength(1 + 3);
  });

  test("stays where another cannot be had", async () => {
    const old = await credentials();
    aws.pass(MINUTE_MS);
    aws.onAssumeRole = async () => Promise.reject(failure({ status: 403 }));
    expect(await afterRefusal(old)).toBeUndefined();
    expect(await credentials()).toBe(old);
  });
});

describe("time", () => {
  test("of the wall clock that jumps leaves no denial behind", async () => {
    aws.wallOffMs = HOUR_MS;
    aws.onAssumeRole = async () => Promise.reject(failure({ status: 403 }));
    await expect(credentials()).rejects.toThrow();
    aws.wallOffMs = 0;
    aws.pass(5000);
    aws.onAssumeRole = async () => aws.session();
    await expect(credentials()).resolves.toBeDefined();
  });

  test("is AWS's own where the wall clock is known to be wrong: a session is used to its end and not beyond", async () => {
    aws.wallOffMs = -20 * 60_000;
    aws.time.learn(new Date(aws.ms).toUTCString());
    const session = await credentials();
    aws.pass(HOUR_MS - 11_000);
    expect(await credentials()).toBe(session);
    aws.pass(2000);
    expect(await credentials()).not.toBe(session);
  });

  test("that STS found to be wrong is corrected, and STS asked once more", async () => {
    let asked = 0;
    aws.onAssumeRole = async () => {
      if (++asked === 1) throw failure({ code: "SignatureDoesNotMatch", status: 403, clockWasOff: true });
      return aws.session();
    };
    await expect(credentials()).resolves.toBeDefined();
    expect(asked).toBe(2);
  });
});

test("an AssumeRole that never ends is given up after ten seconds, and the next one is asked anew", async () => {
  aws.onAssumeRole = () => pending<AwsCredentials>().promise;
  const waiting = credentials(request, 60_000);
  aws.pass(10_000);
  await expect(waiting).rejects.toMatchObject({ details: { kind: "timeout", service: "sts" } });
  aws.onAssumeRole = async () => aws.session();
  await expect(credentials()).resolves.toBeDefined();
});

test("a session that was granted leaves no timer behind", async () => {
  const granted = aws.session();
  aws.assumeRole = (_request, deadline) => deadline.within(Promise.resolve(granted), "sts");

  expect(await credentials()).toBe(granted);

  expect(aws.timers).toBe(0);
});
