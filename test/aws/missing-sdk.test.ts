import { Deadline } from "../../src/aws/deadline";
import { createNodeAws } from "../../src/aws/node";
import { nodeClock } from "../../src/aws/node-clock";
import { checkConnection, createDestination } from "../../src/index";
import { assessedResult } from "../assess";
import { environment } from "./loopback";

let mockInstalled = false;

jest.mock("@aws-sdk/client-sts", () => {
  if (mockInstalled) return jest.requireActual("@aws-sdk/client-sts");
  const message = "Cannot find module '@aws-sdk/client-sts'\nRequire stack:\n- /router/index.js";
  throw Object.assign(new Error(message), { code: "MODULE_NOT_FOUND" });
});

const settings = {
  lambda: "arn:aws:lambda:us-east-1:123456789012:function:events",
  roleAddress: "arn:aws:iam::123456789012:role/router",
  externalId: "source-1",
};

afterEach(() => {
  mockInstalled = false;
});

test("an AWS SDK that is not installed is named, and is no failure of the network", async () => {
  await expect(
    createNodeAws().callerIdentity("us-east-1", undefined, new Deadline(nodeClock, 1000)),
  ).rejects.toMatchObject({
    details: { kind: "installation", code: "MODULE_NOT_FOUND" },
  });
  const result = assessedResult(await createDestination(settings).deliver({ type: "track", event: "Any" }));
  expect(result).toMatchObject({ outcome: "retry", error: { code: "Unknown", awsError: "MODULE_NOT_FOUND" } });
  expect(result.error?.message).toContain("@aws-sdk/client-sts is not installed.");
  expect(result.error?.hint).toMatch(/^Install what is missing/);
  const { steps } = await checkConnection(settings);
  expect(steps.at(-1)).toMatchObject({ step: "identity", diagnosis: { name: "MissingSdk" } });
});

test("an AWS SDK that could not be loaded is loaded with the next delivery", async () => {
  const destination = createDestination({
    ...settings,
    timeoutMs: 2000,
    accessKeyId: "AKIDEXAMPLE00000000",
    secretAccessKey: "s".repeat(40),
  });
  expect(assessedResult(await destination.deliver({ type: "track" })).error?.awsError).toBe("MODULE_NOT_FOUND");
  mockInstalled = true;
  const restore = environment({ AWS_ENDPOINT_URL: "http://127.0.0.1:9" });
  const { error } = assessedResult(await destination.deliver({ type: "track" }));
  restore();
  expect(error?.code).toBe("NetworkError");
});
