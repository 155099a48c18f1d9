// @ts-nocheck
import { operatorPolicyFromEnvironment } from "../../src/settings/operator-policy";
import { SettingsError } from "../../src/settings/settings-error";

test("an operator who says nothing leaves the external ID to users and lends no identity", () => {
  expect(operatorPolicyFromEnvironment({})).toEqual({ externalIdFrom: "settings", allowAmbientCredentials: false });
});

test("empty variables say nothing", () => {
  const environment = { AMAZON_LAMBDA_EXTERNAL_ID: "", AMAZON_LAMBDA_ALLOW_AMBIENT_CREDENTIALS: "" };
  expect(operatorPolicyFromEnvironment(environment)).toEqual(operatorPolicyFromEnvironment({}));
});

test.each(["settings", "source", "workspace"])("the external ID can be pinned to %s", (origin) => {
  expect(operatorPolicyFromEnvironment({ AMAZON_LAMBDA_EXTERNAL_ID: origin }).externalIdFrom).toBe(origin);
});

test.each([
  ["true", true],
  ["false", false],
])("the operator's own identity is lent: %s", (text, allowed) => {
  const environment = { AMAZON_LAMBDA_ALLOW_AMBIENT_CREDENTIALS: text };
  expect(operatorPolicyFromEnvironment(environment).allowAmbientCredentials).toBe(allowed);
});

test.each([
  ["AMAZON_LAMBDA_EXTERNAL_ID", "Source"],
  ["AMAZON_LAMBDA_EXTERNAL_ID", "sources"],
  ["AMAZON_LAMBDA_EXTERNAL_ID", "__proto__"],
  ["AMAZON_LAMBDA_ALLOW_AMBIENT_CREDENTIALS", "yes"],
  ["AMAZON_LAMBDA_ALLOW_AMBIENT_CREDENTIALS", "TRUE"],
  ["AMAZON_LAMBDA_ALLOW_AMBIENT_CREDENTIALS", "1"],
])("%s=%s is a mistake, not a default", (variable, value) => {
  const read = () => operatorPolicyFromEnvironment({ [variable]: value });
  expect(read).toThrow(SettingsError);
  expect(read).toThrow(variable);
});
