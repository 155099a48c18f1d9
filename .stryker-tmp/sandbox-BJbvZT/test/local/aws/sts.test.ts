// @ts-nocheck
import { type EmbeddedAws, startEmbeddedAws } from "../../../src/local/aws/embedded-aws";
import { permit, trust } from "./policies";
import { type Credentials, errorMessage, errorType, type RawAnswer, send, signForm } from "./raw-client";

const keys = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "not-a-secret-EXAMPLEKEY" };
const userArn = "arn:aws:iam::123456789012:user/router";
const roleArn = "arn:aws:iam::123456789012:role/invoker";
let aws: EmbeddedAws;

beforeEach(async () => {
  aws = await startEmbeddedAws();
  aws.addUser({ name: "router", ...keys });
});

afterEach(() => aws.close());

const element = (answer: RawAnswer, name: string): string =>
  new RegExp(`<${name}>(.*?)</${name}>`).exec(answer.body)?.[1] ?? "";

async function call(form: Record<string, string>, credentials: Credentials = keys): Promise<RawAnswer> {
  return send(aws.url, await signForm(aws.url, credentials, form, { at: new Date(aws.clock.now()) }));
}

function assume(more: Record<string, string> = {}, credentials: Credentials = keys): Promise<RawAnswer> {
  return call({ Action: "AssumeRole", RoleArn: roleArn, RoleSessionName: "session", ...more }, credentials);
}

function credentialsOf(answer: RawAnswer): Credentials {
  return {
    accessKeyId: element(answer, "AccessKeyId"),
    secretAccessKey: element(answer, "SecretAccessKey"),
    sessionToken: element(answer, "SessionToken"),
  };
}

function addRole(
  trustPolicy: object,
  more: { account?: string; maxSessionSeconds?: number; path?: string } = {},
): void {
  aws.addRole({ name: "invoker", trustPolicy, permissionPolicies: [permit("*", "*")], ...more });
}

describe("AssumeRole", () => {
  test("answers with a session in AWS's own XML", async () => {
    aws.clock.set(Date.parse("2026-11-22T12:00:00.700Z"));
    addRole(trust(userArn));

    const answer = await assume({ DurationSeconds: "1800" });

    expect(answer.status).toBe(200);
    expect(answer.headers["content-type"]).toBe("text/xml");
    expect(answer.headers["x-amzn-requestid"]).toBe(element(answer, "RequestId"));
    expect(answer.body).toMatch(/^<AssumeRoleResponse xmlns="https:\/\/sts.amazonaws.com\/doc\/2011-06-15\/">/);
    expect(element(answer, "Arn")).toBe("arn:aws:sts::123456789012:assumed-role/invoker/session");
    expect(element(answer, "AssumedRoleId")).toMatch(/^AROA[A-Z2-7]{16}:session$/);
    expect(element(answer, "AccessKeyId")).toMatch(/^ASIA[A-Z2-7]{16}$/);
    expect(element(answer, "Expiration")).toBe("2026-11-22T12:30:00Z");
    expect(answer.body).not.toContain("PackedPolicySize");
  });

  test("gives every session credentials of its own", async () => {
    addRole(trust(userArn));
    const sessions = await Promise.all([assume(), assume(), assume()]);
    const secrets = sessions.map(credentialsOf).flatMap((session) => Object.values(session));
    expect(new Set(secrets).size).toBe(9);
  });

  test("lasts an hour unless told otherwise", async () => {
    aws.clock.set(Date.parse("2026-11-22T12:00:00Z"));
    addRole(trust(userArn));
    expect(element(await assume(), "Expiration")).toBe("2026-11-22T13:00:00Z");
  });

  test("leaves the role's path out of the session's ARN", async () => {
    aws.addRole({ name: "deep", path: "/a/b/", trustPolicy: trust("*"), permissionPolicies: [] });
    const answer = await assume({ RoleArn: "arn:aws:iam::123456789012:role/a/b/deep" });
    expect(element(answer, "Arn")).toBe("arn:aws:sts::123456789012:assumed-role/deep/session");
  });

  test("keeps the role's ID when its policies change", async () => {
    addRole(trust("*"));
    const before = element(await assume(), "AssumedRoleId");
    addRole(trust(userArn));
    expect(element(await assume(), "AssumedRoleId")).toBe(before);
  });

  test("is remembered with what it asked for, and no secret", async () => {
    addRole(trust(userArn));
    const policy = JSON.stringify(permit("lambda:InvokeFunction", "*"));
    const answer = await assume({ ExternalId: "source-1", Policy: policy, DurationSeconds: "900" });
    expect(aws.calls).toEqual([
      {
        service: "sts",
        action: "AssumeRole",
        requestId: element(answer, "RequestId"),
        at: expect.any(Number),
        status: 200,
        principalArn: userArn,
        accessKeyId: "AKIDEXAMPLE",
        region: "us-east-1",
        roleArn,
        externalId: "source-1",
        roleSessionName: "session",
        durationSeconds: 900,
        policy,
      },
    ]);
  });

  describe("refuses parameters that break the API's constraints", () => {
    const constraint = (value: string, member: string, rule: string): string =>
      `1 validation error detected: Value '${value}' at '${member}' failed to satisfy constraint: ${rule}`;

    test.each([
      [
        "RoleSessionName",
        "a b",
        constraint("a b", "roleSessionName", "Member must satisfy regular expression pattern: [\\w+=,.@-]*"),
      ],
      [
        "RoleSessionName",
        "x",
        constraint("x", "roleSessionName", "Member must have length greater than or equal to 2"),
      ],
      [
        "RoleSessionName",
        "x".repeat(65),
        constraint("x".repeat(65), "roleSessionName", "Member must have length less than or equal to 64"),
      ],
      [
        "ExternalId",
        "ex id",
        constraint("ex id", "externalId", "Member must satisfy regular expression pattern: [\\w+=,.@:\\/-]*"),
      ],
      ["ExternalId", "x", constraint("x", "externalId", "Member must have length greater than or equal to 2")],
      [
        "ExternalId",
        "x".repeat(1225),
        constraint("x".repeat(1225), "externalId", "Member must have length less than or equal to 1224"),
      ],
      [
        "DurationSeconds",
        "899",
        constraint("899", "durationSeconds", "Member must have value greater than or equal to 900"),
      ],
      [
        "DurationSeconds",
        "43201",
        constraint("43201", "durationSeconds", "Member must have value less than or equal to 43200"),
      ],
      [
        "RoleArn",
        "arn:short",
        constraint("arn:short", "roleArn", "Member must have length greater than or equal to 20"),
      ],
      ["RoleArn", "arn:aws:iam::123456789012:user/x", "arn:aws:iam::123456789012:user/x is invalid"],
    ])("%s %s", async (name, value, message) => {
      addRole(trust(userArn));
      const answer = await assume({ [name]: value });
      expect([answer.status, errorType(answer), errorMessage(answer)]).toEqual([400, "ValidationError", message]);
    });

    test("all of them at once", async () => {
      const answer = await call({ Action: "AssumeRole", DurationSeconds: "1" });
      expect(errorMessage(answer)).toBe(
        "3 validation errors detected: " +
          "Value null at 'roleArn' failed to satisfy constraint: Member must not be null; " +
          "Value null at 'roleSessionName' failed to satisfy constraint: Member must not be null; " +
          "Value '1' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900",
      );
    });

    test("and those that this AWS cannot honour", async () => {
      addRole(trust(userArn));
      const answer = await assume({ "PolicyArns.member.1.arn": "arn:aws:iam::aws:policy/ReadOnlyAccess" });
      expect([errorType(answer), errorMessage(answer)]).toEqual([
        "ValidationError",
        "PolicyArns is not supported by the embedded AWS.",
      ]);
    });
  });

  test("refuses to last longer than the role allows", async () => {
    addRole(trust(userArn));
    const short = await assume({ DurationSeconds: "3601" });
    addRole(trust(userArn), { maxSessionSeconds: 7200 });
    const long = await assume({ DurationSeconds: "7200" });
    expect([errorType(short), errorMessage(short)]).toEqual([
      "ValidationError",
      "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    ]);
    expect(long.status).toBe(200);
  });

  test("lasts an hour at most from one role to another", async () => {
    addRole(trust(userArn), { maxSessionSeconds: 43200 });
    const second = "arn:aws:iam::123456789012:role/second";
    aws.addRole({ name: "second", trustPolicy: trust(roleArn), permissionPolicies: [], maxSessionSeconds: 43200 });
    const session = credentialsOf(await assume());

    const chained = await assume({ RoleArn: second, DurationSeconds: "3600" }, session);
    const tooLong = await assume({ RoleArn: second, DurationSeconds: "3601" }, session);

    expect(chained.status).toBe(200);
    expect([tooLong.status, errorType(tooLong)]).toEqual([400, "ValidationError"]);
    expect(errorMessage(tooLong)).toContain("1 hour session limit for roles assumed by role chaining");
  });

  describe("asks the trust policy", () => {
    const denied = `User: ${userArn} is not authorized to perform: sts:AssumeRole on resource: ${roleArn}`;

    test.each([
      ["the user", trust(userArn)],
      ["the account", trust("123456789012")],
      ["the account's root", trust("arn:aws:iam::123456789012:root")],
      ["everybody", trust("*")],
    ])("which may name %s", async (_, policy) => {
      addRole(policy);
      expect((await assume()).status).toBe(200);
    });

    test.each([
      ["another user", trust("arn:aws:iam::123456789012:user/somebody")],
      ["another account", trust("arn:aws:iam::999999999999:root")],
      [
        "a service",
        { Statement: { Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" } },
      ],
      ["another action", { Statement: { Effect: "Allow", Principal: "*", Action: "sts:TagSession" } }],
      [
        "and deny",
        {
          Statement: [
            { Effect: "Allow", Principal: "*", Action: "sts:AssumeRole" },
            { Effect: "Deny", Principal: { AWS: userArn }, Action: "sts:*" },
          ],
        },
      ],
    ])("and denies if it names %s", async (_, policy) => {
      addRole(policy);
      const answer = await assume();
      expect([answer.status, errorType(answer), errorMessage(answer)]).toEqual([403, "AccessDenied", denied]);
    });

    test("and denies what does not exist with the same words", async () => {
      const answer = await assume();
      expect([answer.status, errorType(answer), errorMessage(answer)]).toEqual([403, "AccessDenied", denied]);
    });

    test.each([
      ["the one", "source-1", "source-1", 200],
      ["one of a list", ["source-1", "source-2"], "source-2", 200],
      ["another", ["source-1", "source-2"], "source-3", 403],
      ["another case", "source-1", "Source-1", 403],
      ["none", "source-1", undefined, 403],
    ])("which may want an external ID: %s", async (_, wanted, given, status) => {
      addRole(trust(userArn, wanted));
      const answer = await assume(given === undefined ? {} : { ExternalId: given });
      expect(answer.status).toBe(status);
      if (status === 403) expect(errorMessage(answer)).toBe(denied);
    });

    test("which may want an external ID by pattern", async () => {
      addRole({
        Statement: {
          Effect: "Allow",
          Principal: "*",
          Action: "sts:AssumeRole",
          Condition: { StringLike: { "sts:externalId": "workspace-*/?" } },
        },
      });
      const statuses = await Promise.all(
        ["workspace-7/a", "workspace-7/ab", "other"].map(async (id) => (await assume({ ExternalId: id })).status),
      );
      expect(statuses).toEqual([200, 403, 403]);
    });

    test("which may name a role, for its sessions, or one session", async () => {
      addRole(trust(userArn));
      const session = credentialsOf(await assume());
      const roles = {
        byRole: roleArn,
        bySession: "arn:aws:sts::123456789012:assumed-role/invoker/session",
        byOther: "arn:aws:sts::123456789012:assumed-role/invoker/other",
      };
      const statuses: Record<string, number> = {};
      for (const [name, principal] of Object.entries(roles)) {
        const { arn } = aws.addRole({ name, trustPolicy: trust(principal), permissionPolicies: [] });
        statuses[name] = (await assume({ RoleArn: arn }, session)).status;
      }
      expect(statuses).toEqual({ byRole: 200, bySession: 200, byOther: 403 });
    });
  });

  describe("asks the user's own policy", () => {
    const restrict = (policy: object): void => {
      aws.addUser({ name: "router", ...keys, policy });
    };

    test("if the role trusts no more than the account", async () => {
      restrict(permit("sts:AssumeRole", "arn:aws:iam::123456789012:role/other"));
      addRole(trust("123456789012"));
      const answer = await assume();
      expect(errorMessage(answer)).toMatch(/because no identity-based policy allows the sts:AssumeRole action$/);
    });

    test("not if the role trusts the user", async () => {
      restrict(permit("s3:*", "*"));
      addRole(trust(userArn));
      expect((await assume()).status).toBe(200);
    });

    test("always if the role is of another account", async () => {
      restrict(permit("s3:*", "*"));
      addRole(trust(userArn), { account: "210987654321" });
      const foreign = { RoleArn: "arn:aws:iam::210987654321:role/invoker" };
      const denied = await assume(foreign);
      restrict(permit("sts:AssumeRole", "arn:aws:iam::*:role/invoker"));
      const allowed = await assume(foreign);
      expect([denied.status, allowed.status]).toEqual([403, 200]);
    });

    test("and whether it denies", async () => {
      restrict({
        Statement: [
          { Effect: "Allow", Action: "*", Resource: "*" },
          { Effect: "Deny", Action: "sts:*", Resource: "*" },
        ],
      });
      addRole(trust(userArn));
      expect(errorMessage(await assume())).toMatch(/with an explicit deny in an identity-based policy$/);
    });
  });

  describe("reads the session policy", () => {
    beforeEach(() => addRole(trust(userArn)));

    test("and tells how much of its space it fills", async () => {
      const policy = JSON.stringify(permit("lambda:InvokeFunction", "*".padEnd(1900, "*")));
      const answer = await assume({ Policy: policy });
      expect(element(answer, "PackedPolicySize")).toBe(String(Math.ceil((policy.length / 2048) * 100)));
    });

    test("and refuses one that is too large", async () => {
      const answer = await assume({ Policy: JSON.stringify(permit("lambda:InvokeFunction", "*".padEnd(2048, "*"))) });
      expect([answer.status, errorType(answer)]).toEqual([400, "PackedPolicyTooLarge"]);
      expect(errorMessage(answer)).toMatch(
        /^Packed policy consumes 10\d% of allotted space, please use smaller policy.$/,
      );
    });

    test.each([
      ["is not JSON", "{"],
      ["is no object", "[]"],
      ["has no statement", '{"Version":"2012-10-17"}'],
      ["has an empty list of statements", '{"Statement":[]}'],
      ["has an unknown version", '{"Version":"2020-01-01","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'],
      ["has an unknown effect", '{"Statement":{"Effect":"allow","Action":"*","Resource":"*"}}'],
      ["has no action", '{"Statement":{"Effect":"Allow","Resource":"*"}}'],
      ["has no resource", '{"Statement":{"Effect":"Allow","Action":"*"}}'],
      ["has a principal", '{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"}}'],
      [
        "has an unknown condition",
        '{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"constructor":{"a":"b"}}}}',
      ],
      ["has an unknown element", '{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Resources":"*"}}'],
      ["has a number for an action", '{"Statement":{"Effect":"Allow","Action":1,"Resource":"*"}}'],
    ])("and refuses one that %s", async (_, policy) => {
      const answer = await assume({ Policy: policy });
      expect([answer.status, errorType(answer)]).toEqual([400, "MalformedPolicyDocument"]);
    });
  });
});

describe("GetCallerIdentity", () => {
  test("tells who a user is", async () => {
    const answer = await call({ Action: "GetCallerIdentity" });
    expect(element(answer, "Arn")).toBe(userArn);
    expect(element(answer, "Account")).toBe("123456789012");
    expect(element(answer, "UserId")).toMatch(/^AIDA[A-Z2-7]{16}$/);
  });

  test("tells who a session is, and needs no permission", async () => {
    aws.addRole({ name: "invoker", trustPolicy: trust("*"), permissionPolicies: [] });
    const session = credentialsOf(await assume());
    const answer = await call({ Action: "GetCallerIdentity" }, session);
    expect(element(answer, "Arn")).toBe("arn:aws:sts::123456789012:assumed-role/invoker/session");
    expect(element(answer, "UserId")).toMatch(/^AROA[A-Z2-7]{16}:session$/);
  });

  test("can be asked with GET", async () => {
    const query = { Action: "GetCallerIdentity", Version: "2011-06-15" };
    const wire = await signForm(aws.url, keys, {}, { method: "GET", query, body: "" });
    expect(element(await send(aws.url, wire), "Arn")).toBe(userArn);
  });
});

test.each([
  ["GetSessionToken", "2011-06-15", "Could not find operation GetSessionToken for version 2011-06-15"],
  ["GetCallerIdentity", "2012-01-01", "Could not find operation GetCallerIdentity for version 2012-01-01"],
  ["constructor", "2011-06-15", "Could not find operation constructor for version 2011-06-15"],
  ["<&>", "2011-06-15", "Could not find operation &lt;&amp;&gt; for version 2011-06-15"],
])("%s of version %s is an invalid action", async (Action, Version, message) => {
  const answer = await call({ Action, Version });
  expect([answer.status, errorType(answer), errorMessage(answer)]).toEqual([400, "InvalidAction", message]);
  expect(element(answer, "Type")).toBe("Sender");
});

test("a user whose keys were removed is unknown", async () => {
  aws.removeUser(keys.accessKeyId);
  expect(errorType(await call({ Action: "GetCallerIdentity" }))).toBe("InvalidClientTokenId");
});

test("another partition has its own ARNs", async () => {
  const china = await startEmbeddedAws({ region: "cn-north-1" });
  const user = china.addUser({ name: "router" });
  const role = china.addRole({ name: "invoker", trustPolicy: trust(user.arn), permissionPolicies: [] });
  const form = { Action: "AssumeRole", RoleArn: role.arn, RoleSessionName: "session" };
  const answer = await send(china.url, await signForm(china.url, user, form, { region: "cn-north-1" }));
  await china.close();
  expect(element(answer, "Arn")).toBe("arn:aws-cn:sts::123456789012:assumed-role/invoker/session");
});
