import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { classifyAwsFailure } from "../../src/delivery/classify";

const { resolve } = createRequire(join(process.cwd(), "package.json"));

/** The errors that the installed SDK declares for a command: `@throws` in its types, the schemas at run time name none. */
function declaredErrors(client: string, command: string): string[] {
  const types = join(dirname(resolve(`${client}/package.json`)), "dist-types", "commands", `${command}.d.ts`);
  return [...readFileSync(types, "utf8").matchAll(/@throws \{@link (\w+)\}/g)].flatMap(([, name = ""]) =>
    // The base class of all of a service's errors.
    name.endsWith("ServiceException") && name !== "ServiceException" ? [] : [name],
  );
}

/** What is no failure: the execution of that name, which is the event's own, runs or has run. */
const NO_FAILURE = ["DurableExecutionAlreadyStartedException"];

test.each([
  ["@aws-sdk/client-lambda", "InvokeCommand", "TooManyRequestsException"],
  ["@aws-sdk/client-sts", "AssumeRoleCommand", "PackedPolicyTooLargeException"],
])("every error that %s declares for %s is classified by its name", (client, command, oneOfThem) => {
  const declared = declaredErrors(client, command);
  const unknown = declared.filter(
    // The name alone has to tell: this status is none that says anything.
    (code) => classifyAwsFailure({ kind: "service", code, status: 400 }) === "Unknown",
  );

  expect(declared).toContain(oneOfThem);
  expect(unknown.filter((name) => !NO_FAILURE.includes(name))).toEqual([]);
});

test("an error of a family whose newest member nobody has listed is classified, too", () => {
  const code = (name: string) => classifyAwsFailure({ kind: "service", code: name, status: 400 });
  expect(code("SnapStartWarmedException")).toBe("FunctionNotReady");
  expect(code("NeverHeardOfException")).toBe("Unknown");
});
