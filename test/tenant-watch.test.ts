import { tenantWatch } from "../src/node";
import { DEFAULT_OPERATOR_POLICY } from "../src/settings/operator-policy";

let warnings: jest.SpyInstance;

beforeEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith("AMAZON_LAMBDA_")) delete process.env[name];
  warnings = jest.spyOn(process, "emitWarning").mockImplementation(() => {});
});

afterEach(() => {
  warnings.mockRestore();
  delete process.env["AMAZON_LAMBDA_EXTERNAL_ID"];
});

const told = () => warnings.mock.calls.map(([message, { detail }]) => `${message} ${detail}`).join();

test("an operator who has decided nothing is warned once, with the second workspace", () => {
  const watch = tenantWatch();
  for (let i = 0; i < 3; i++) watch("one");
  watch(undefined);
  expect(warnings).not.toHaveBeenCalled();
  for (const workspace of ["two", "three", "one"]) watch(workspace);
  expect(warnings).toHaveBeenCalledTimes(1);
  expect(told()).toContain("set AMAZON_LAMBDA_EXTERNAL_ID to workspace or source");
});

test("what the host has decided is no advice", () => {
  const watch = tenantWatch({ ...DEFAULT_OPERATOR_POLICY, externalIdFrom: "workspace", maxTimeoutMs: 9000 });
  for (const workspace of ["one", "two"]) watch(workspace);
  expect(told()).toContain("AMAZON_LAMBDA_MAX_CONCURRENCY");
  expect(told()).not.toMatch(/EXTERNAL_ID|MAX_TIMEOUT/);
});

test("an operator who has decided everything hears nothing, nor one whose mistake stops every delivery", () => {
  const decided = {
    externalIdFrom: "source",
    allowAmbientCredentials: false,
    maxTimeoutMs: 9000,
    maxConcurrency: 9,
  } as const;
  const watch = tenantWatch(decided);
  for (const workspace of ["one", "two"]) watch(workspace);
  process.env["AMAZON_LAMBDA_EXTERNAL_ID"] = "wrokspace";
  const mistaken = tenantWatch();
  for (const workspace of ["one", "two"]) mistaken(workspace);
  expect(warnings).not.toHaveBeenCalled();
});
