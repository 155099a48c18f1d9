import fc from "fast-check";
import schema from "../../schemas/settings.schema.json";
import { functionNamePattern } from "../../src/local/aws/arn";
import {
  functionArn,
  functionNameForInvoke,
  parseFunctionReference,
  printFunctionReference,
  unqualifiedArn,
} from "../../src/names/function-reference";

const accepted = new RegExp(schema.definitions.function.pattern);

test.each([
  ["order-events-2:live", { name: "order-events-2", qualifier: "live" }],
  ["my-fn-1:prod", { name: "my-fn-1", qualifier: "prod" }],
  ["us-east-1:7", { name: "us-east-1", qualifier: "7" }],
  ["my-fn-1:$LATEST.PUBLISHED", { name: "my-fn-1", qualifier: "$LATEST.PUBLISHED" }],
  ["123456789012:fn:1", { account: "123456789012", name: "fn", qualifier: "1" }],
  ["us-east-1:123456789012:fn", { region: "us-east-1", account: "123456789012", name: "fn" }],
  ["my-fn-1:123456789012", { name: "my-fn-1", qualifier: "123456789012" }],
  ["function:fn:live", { name: "fn", qualifier: "live" }],
])("%s is understood", (configured, parts) => {
  expect(configured).toMatch(accepted);
  expect(parseFunctionReference(configured)).toEqual({ configured, ...parts });
});

test.each([
  ["a layer", "arn:aws:lambda:us-east-1:123456789012:layer:my-layer"],
  ["a region without an account", "us-east-1:function:my-function"],
  ["a region without an account, with an alias", "us-east-1:my-function:live"],
  ["a function of another service", "arn:aws:sqs:us-east-1:123456789012:function:my-function"],
  ["something behind the alias", "my-function:live:more"],
  ["a name that is too long", "x".repeat(65)],
  ["a name with a dot, which no function can be made with", "my.function"],
])("%s is no function", (_what, configured) => {
  expect(configured).not.toMatch(accepted);
  expect(() => parseFunctionReference(configured)).toThrow(TypeError);
});

test("a text that the schema would not have accepted is not repeated", () => {
  expect(() => parseFunctionReference("no function, perhaps a secret")).not.toThrow("secret");
});

describe("every form that Lambda's Invoke accepts", () => {
  const region = fc.constantFrom("us-east-1", "eu-central-1", "us-gov-west-1", "us-isob-east-1", "eusc-de-east-1");
  const account = fc.stringMatching(/^[0-9]{12}$/);
  const name = fc.oneof(
    fc.stringMatching(/^[a-zA-Z0-9_-]{1,64}$/),
    // What could be taken for something else.
    fc.constantFrom("function", "lambda", "arn", "us-east-1", "my-fn-1", "order-events-2", "123456789012", "-"),
  );
  const qualifier = fc.option(
    fc.oneof(
      fc.constantFrom("$LATEST", "$LATEST.PUBLISHED", "1", "123456789012", "us-east-1", "function"),
      fc.stringMatching(/^[a-zA-Z0-9_-]{1,128}$/),
    ),
    { nil: undefined },
  );
  const given = fc
    .record({
      arn: fc.boolean(),
      word: fc.boolean(),
      partition: fc.constantFrom("aws", "aws-cn", "aws-us-gov", "aws-iso-b", "aws-eusc"),
      region: fc.option(region, { nil: undefined }),
      account: fc.option(account, { nil: undefined }),
      name,
      qualifier,
    })
    // Where `function:` is left out, AWS's own pattern takes these two for what they look like.
    .filter(({ word, arn, name, qualifier, account }) => {
      const followed = qualifier !== undefined;
      return word || arn || !followed || !(name === "function" || (!account && /^[0-9]{12}$/.test(name)));
    })
    .chain((parts) => fc.tuple(fc.constant(parts), region, account))
    .map(([{ arn, word, partition, name, qualifier, ...some }, anyRegion, anyAccount]) => {
      const last = qualifier === undefined ? {} : { qualifier };
      if (arn) {
        const whole = { partition, region: some.region ?? anyRegion, account: some.account ?? anyAccount };
        const text = `arn:${partition}:lambda:${whole.region}:${whole.account}:function:${name}`;
        return { text, parts: { ...whole, name, ...last } };
      }
      const known = {
        ...(some.account && some.region && { region: some.region }),
        ...(some.account && { account: some.account }),
      };
      const text = [...Object.values(known), ...(word ? ["function"] : []), name].join(":");
      return { text, parts: { ...known, name, ...last } };
    })
    .map(({ text, parts }) => ({
      configured: "qualifier" in parts ? `${text}:${parts.qualifier}` : text,
      parts,
    }));

  test("is accepted by the settings, and taken apart as AWS does", () => {
    const byAws = new RegExp(`^${functionNamePattern}$`);
    fc.assert(
      fc.property(given, ({ configured, parts }) => {
        expect(configured).toMatch(byAws);
        expect(configured).toMatch(accepted);
        expect(parseFunctionReference(configured)).toEqual({ configured, ...parts });
      }),
      { numRuns: 1000 },
    );
  });

  test("is printed as a text that is read as the same again", () => {
    fc.assert(
      fc.property(given, ({ configured, parts }) => {
        const printed = printFunctionReference(parseFunctionReference(configured));
        expect(printed).toMatch(accepted);
        expect(parseFunctionReference(printed)).toEqual({ configured: printed, ...parts });
        expect(printFunctionReference(parseFunctionReference(printed))).toBe(printed);
      }),
      { numRuns: 1000 },
    );
  });

  test("has an ARN", () => {
    const home = { partition: "aws", region: "us-east-1", account: "111122223333" };
    fc.assert(
      fc.property(given, ({ configured, parts: { name, account, qualifier } }) => {
        const arn = functionArn(parseFunctionReference(configured), home);
        const parsed = parseFunctionReference(arn);
        expect(parsed).toEqual({
          configured: arn,
          ...home,
          name,
          ...(account && { account }),
          ...(qualifier && { qualifier }),
        });
        const { qualifier: _, ...unqualified } = parsed;
        const own = unqualifiedArn(arn);
        expect(parseFunctionReference(own)).toEqual({ ...unqualified, configured: own });
      }),
    );
  });
});

test.each([
  ["my-function", "my-function"],
  ["my-function:live", "my-function"],
  ["order-events-2:live", "order-events-2"],
  ["function:123456789012:live", "123456789012"],
  ["123456789012:function:my-function:3", "123456789012:function:my-function"],
  ["123456789012:my-function", "123456789012:function:my-function"],
  ["us-east-1:123456789012:function:my-function", "123456789012:function:my-function"],
  [
    "arn:aws-cn:lambda:cn-north-1:123456789012:function:my-function:live",
    "arn:aws-cn:lambda:cn-north-1:123456789012:function:my-function",
  ],
])("%s is invoked by the name %s", (configured, name) => {
  expect(functionNameForInvoke(parseFunctionReference(configured))).toBe(name);
});
