import type { JsonObject } from "../../events/segment-event";
import { definitionOf, SETTINGS, type Setting } from "../../settings/setting-schemas";
import { textPattern } from "./settings-schema";

const FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:router-events";
const ROLE = { roleAddress: "arn:aws:iam::123456789012:role/router-events-invoker" };
const GOOD = { lambda: FUNCTION, ...ROLE };

/** Configurations with the verdict that RudderStack's validator has to come to, as its repository keeps them per destination. */
export function validationData(ambient: boolean): readonly JsonObject[] {
  return [
    good("The function, the role and the external ID of the first tab", { ...GOOD, externalId: "my-source-id" }),
    good("A function for one call type only", { ...ROLE, lambda: "", trackLambda: FUNCTION }),
    good("A function for one event only", { ...ROLE, eventLambdas: [{ from: "Order Completed", to: FUNCTION }] }),
    good("Functions by name, with a region", { ...ROLE, lambda: "router-events:live", region: "us-east-1" }),
    good("Access keys in place of a role", { lambda: FUNCTION, ...keys("FAKEACCESSKEYID00001") }),
    good("Everything from templates and the server's environment", {
      lambda: '{{ event.context.lambda || "router-events" }}',
      region: "env.LAMBDA_REGION",
      roleAddress: "env.LAMBDA_ROLE",
      externalId: '{{ event.context.tenant || "none" }}',
    }),
    good("Fields that were left empty", {
      ...GOOD,
      identifyLambda: "",
      externalId: "",
      timeoutMs: "",
      eventLambdas: [{ from: "", to: "" }],
      clientContext: [],
    }),
    good("Delivery settings", {
      ...GOOD,
      invocationType: "RequestResponse",
      timeoutMs: "5000",
      maxBatchSize: "100",
      logType: "Tail",
      clientContext: [{ from: "environment", to: "production" }],
    }),
    good("Consent and connection mode", {
      ...GOOD,
      connectionMode: { web: "cloud" },
      consentManagement: {
        web: [{ provider: "custom", resolutionStrategy: "and", consents: [{ consent: "marketing" }] }],
      },
    }),
    bad("No function", ROLE, [" must have required property 'lambda'", THEN]),
    bad("Half of the access keys", { ...GOOD, accessKeyId: "FAKEACCESSKEYID00001" }, [
      " must have required property 'secretAccessKey'",
      THEN,
    ]),
    ...(ambient
      ? [good("The server's own identity", { lambda: FUNCTION })]
      : [
          bad("Neither a role nor access keys", { lambda: FUNCTION }, [
            " must have required property 'roleAddress'",
            THEN,
          ]),
        ]),
    bad("A function that is none", { ...GOOD, trackLambda: "no function" }, [`trackLambda ${mismatch("trackLambda")}`]),
    bad("A timeout out of range", { ...GOOD, timeoutMs: "900001" }, [`timeoutMs ${mismatch("timeoutMs")}`]),
    bad(
      "A row with a function that is none",
      { ...GOOD, eventLambdas: [{ from: "Order Completed", to: "no function" }] },
      [
        `eventLambdas.0.to must match pattern "${textPattern({ type: "string", ...definitionOf("#/definitions/route") })}"`,
      ],
    ),
    bad("A row without a function", { ...GOOD, eventLambdas: [{ from: "Order Completed", to: "" }] }, [
      "eventLambdas.0 must NOT be valid",
    ]),
    bad("A log type that is none", { ...GOOD, logType: "tail" }, [
      "logType must be equal to one of the allowed values",
    ]),
  ];
}

const THEN = ' must match "then" schema';

function good(testTitle: string, config: JsonObject): JsonObject {
  return { testTitle, config, result: true };
}

function bad(testTitle: string, config: JsonObject, err: readonly string[]): JsonObject {
  return { testTitle, config, result: false, err };
}

function mismatch(key: string): string {
  return `must match pattern "${textPattern(SETTINGS[key] as Setting)}"`;
}

/** Keys that nobody has. */
function keys(accessKeyId: string): JsonObject {
  return { accessKeyId, secretAccessKey: "fakeSecretAccessKeyForTests0EXAMPLE00000" };
}
