import {
  DEFAULT_OPERATOR_POLICY,
  type OperatorPolicy,
  operatorPolicyFromEnvironment,
  unsafeForTenants,
} from "../../src/settings/operator-policy";
import { parseSettings } from "../../src/settings/settings";
import { SettingsError } from "../../src/settings/settings-error";

const SETTINGS = {
  lambda: "router-events",
  region: "us-east-1",
  roleAddress: "arn:aws:iam::123456789012:role/router-events-invoker",
};

const operator = (limits: Partial<OperatorPolicy>): OperatorPolicy => ({ ...DEFAULT_OPERATOR_POLICY, ...limits });

function problemsOf(settings: object, limits: Partial<OperatorPolicy>): readonly (readonly [string, string])[] {
  try {
    parseSettings(settings, operator(limits));
  } catch (error) {
    if (error instanceof SettingsError) return error.problems.map(({ setting, problem }) => [setting, problem]);
    throw error;
  }
  return [];
}

describe("from the environment", () => {
  test("all limits", () => {
    const environment = {
      AMAZON_LAMBDA_MAX_TIMEOUT_MS: "9000",
      AMAZON_LAMBDA_MAX_CONCURRENCY: "50",
      AMAZON_LAMBDA_ALLOWED_ACCOUNTS: "123456789012, 210987654321",
    };

    expect(operatorPolicyFromEnvironment(environment)).toEqual({
      ...DEFAULT_OPERATOR_POLICY,
      maxTimeoutMs: 9000,
      maxConcurrency: 50,
      allowedAccounts: ["123456789012", "210987654321"],
    });
  });

  test("a host's own default holds until the operator says otherwise", () => {
    const defaults = operator({ maxTimeoutMs: 8000 });

    expect(operatorPolicyFromEnvironment({}, defaults).maxTimeoutMs).toBe(8000);
    expect(operatorPolicyFromEnvironment({ AMAZON_LAMBDA_MAX_TIMEOUT_MS: "20000" }, defaults).maxTimeoutMs).toBe(20000);
  });

  test.each([
    ["AMAZON_LAMBDA_MAX_TIMEOUT_MS", "99"],
    ["AMAZON_LAMBDA_MAX_TIMEOUT_MS", "900001"],
    ["AMAZON_LAMBDA_MAX_TIMEOUT_MS", "9s"],
    ["AMAZON_LAMBDA_MAX_TIMEOUT_MS", "9000.5"],
    ["AMAZON_LAMBDA_MAX_TIMEOUT_MS", "-1"],
    ["AMAZON_LAMBDA_MAX_TIMEOUT_MS", "1e3"],
    ["AMAZON_LAMBDA_MAX_TIMEOUT_MS", " "],
    ["AMAZON_LAMBDA_MAX_CONCURRENCY", "0"],
    ["AMAZON_LAMBDA_MAX_CONCURRENCY", "many"],
    ["AMAZON_LAMBDA_MAX_CONCURRENCY", "Infinity"],
    ["AMAZON_LAMBDA_ALLOWED_ACCOUNTS", "12345678901"],
    ["AMAZON_LAMBDA_ALLOWED_ACCOUNTS", "123456789012,"],
    ["AMAZON_LAMBDA_ALLOWED_ACCOUNTS", "123456789012 210987654321"],
    ["AMAZON_LAMBDA_ALLOWED_ACCOUNTS", "*"],
  ])("%s=%s is a mistake, not no limit", (variable, value) => {
    const read = () => operatorPolicyFromEnvironment({ [variable]: value });

    expect(read).toThrow(SettingsError);
    expect(read).toThrow(variable);
  });
});

describe("the longest delivery", () => {
  test("a Timeout (ms) above it is lowered and told, not refused", () => {
    const { timeoutMs, limited } = parseSettings({ ...SETTINGS, timeoutMs: 60_000 }, operator({ maxTimeoutMs: 9000 }));

    expect(timeoutMs).toBe(9000);
    expect(limited).toEqual(["Timeout (ms) is 9000, not 60000: the router's operator allows no more."]);
  });

  test("one below it stands, and nothing is told", () => {
    const parsed = parseSettings({ ...SETTINGS, timeoutMs: 9000 }, operator({ maxTimeoutMs: 9000 }));

    expect(parsed.timeoutMs).toBe(9000);
    expect(parsed).not.toHaveProperty("limited");
  });

  test("the default of the settings is lowered too", () => {
    expect(parseSettings(SETTINGS, operator({ maxTimeoutMs: 1000 })).timeoutMs).toBe(1000);
  });
});

describe("what is in flight to one function", () => {
  test.each([
    [undefined, undefined, undefined],
    [20, undefined, 20],
    [undefined, 50, 50],
    [20, 50, 20],
    ["20", 50, 20],
    [100, 50, 50],
  ])("with Max Concurrency %p and %p of the operator: %p", (maxConcurrency, most, expected) => {
    const limits = most === undefined ? {} : { maxConcurrency: most };

    expect(parseSettings({ ...SETTINGS, maxConcurrency }, operator(limits)).maxConcurrency).toBe(expected);
  });

  test("a Max Concurrency above the operator's is told", () => {
    const { limited } = parseSettings({ ...SETTINGS, maxConcurrency: 100 }, operator({ maxConcurrency: 50 }));

    expect(limited).toEqual(["Max Concurrency is 50, not 100: the router's operator allows no more."]);
  });

  test.each([0, -1, 1.5, "x", 10_001])("Max Concurrency %p is refused", (maxConcurrency) => {
    expect(problemsOf({ ...SETTINGS, maxConcurrency }, {})).toEqual([
      ["maxConcurrency", "must be a whole number from 1 to 10000"],
    ]);
  });
});

describe("certain accounts only", () => {
  const only = { allowedAccounts: ["123456789012", "222222222222"] };
  const arn = (account: string) => `arn:aws:lambda:us-east-1:${account}:function:router-events`;

  test("roles and functions of those are fine", () => {
    expect(problemsOf(SETTINGS, only)).toEqual([]);
    expect(problemsOf({ ...SETTINGS, trackLambda: arn("222222222222") }, only)).toEqual([]);
  });

  test("a role of another is refused, and so are the functions that it implies", () => {
    const roleAddress = "arn:aws:iam::333333333333:role/router-events-invoker";
    const problem = "is in the account 333333333333, which the router's operator does not allow";

    expect(problemsOf({ ...SETTINGS, roleAddress }, only)).toEqual([
      ["roleAddress", problem],
      ["lambda", problem],
    ]);
  });

  test.each([arn("333333333333"), "333333333333:function:router-events"])("the function %s is refused", (lambda) => {
    expect(problemsOf({ ...SETTINGS, eventLambdas: { Signup: lambda } }, only)).toEqual([
      ["eventLambdas.Signup", "is in the account 333333333333, which the router's operator does not allow"],
    ]);
  });

  test("without a role, whose account a mere name would be in nobody knows", () => {
    const keys = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" };
    const { roleAddress: _role, ...settings } = SETTINGS;

    expect(problemsOf({ ...settings, ...keys }, only)).toEqual([
      ["lambda", "must be given with its account, because the router's operator allows certain accounts only"],
    ]);
    expect(problemsOf({ ...settings, ...keys, lambda: arn("222222222222") }, only)).toEqual([]);
  });
});

test("a map of more functions than a session or a form can hold is refused", () => {
  const eventLambdas = Object.fromEntries(Array.from({ length: 501 }, (_, i) => [`Event ${i}`, "router-events"]));

  expect(problemsOf({ ...SETTINGS, eventLambdas }, {})).toEqual([
    ["eventLambdas", "must be a map of track event names or patterns to functions, 500 at most"],
  ]);
});

describe("what is unsafe where tenants do not trust each other", () => {
  test("by default, most of it", () => {
    const variables = unsafeForTenants(DEFAULT_OPERATOR_POLICY).map((advice) => /AMAZON_LAMBDA_\w+/.exec(advice)?.[0]);

    expect(variables).toEqual([
      "AMAZON_LAMBDA_EXTERNAL_ID",
      "AMAZON_LAMBDA_MAX_TIMEOUT_MS",
      "AMAZON_LAMBDA_MAX_CONCURRENCY",
    ]);
  });

  test("nothing once the operator has decided", () => {
    const decided = { externalIdFrom: "workspace", maxTimeoutMs: 9000, maxConcurrency: 100 } as const;

    expect(unsafeForTenants(operator(decided))).toEqual([]);
    expect(unsafeForTenants(operator({ ...decided, allowAmbientCredentials: true }))).toHaveLength(1);
  });
});

test.each([
  ["AMAZON_LAMBDA_MAX_TIMEOUT_MS", "99", "100"],
  ["AMAZON_LAMBDA_MAX_TIMEOUT_MS", "900001", "900000"],
  ["AMAZON_LAMBDA_MAX_CONCURRENCY", "0", "1"],
  ["AMAZON_LAMBDA_MAX_CONCURRENCY", "1000001", "1000000"],
])("%s may not be %s, and may be %s", (name, beyond, bound) => {
  expect(() => operatorPolicyFromEnvironment({ [name]: beyond })).toThrow(SettingsError);
  expect(Object.values(operatorPolicyFromEnvironment({ [name]: bound }))).toContain(Number(bound));
});
