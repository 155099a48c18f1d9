import { externalIdFor } from "../../src/settings/external-id";
import { SettingsError } from "../../src/settings/settings-error";

const origin = { sourceId: "source-1", workspaceId: "workspace-1" };

test("the user's own choice counts, else the source's ID", () => {
  expect(externalIdFor("chosen", origin, "settings")).toBe("chosen");
  expect(externalIdFor(undefined, origin, "settings")).toBe("source-1");
});

test("a pinned external ID ignores what the user typed", () => {
  expect(externalIdFor("somebody-elses", origin, "source")).toBe("source-1");
  expect(externalIdFor("somebody-elses", origin, "workspace")).toBe("workspace-1");
});

test.each([
  ["settings", "without a source ID"],
  ["source", "AMAZON_LAMBDA_EXTERNAL_ID=source"],
  ["workspace", "AMAZON_LAMBDA_EXTERNAL_ID=workspace"],
] as const)("from %s, none at all is refused and says why", (from, why) => {
  for (const empty of [{}, { sourceId: "", workspaceId: "" }]) {
    const read = () => externalIdFor(undefined, empty, from);
    expect(read).toThrow(SettingsError);
    expect(read).toThrow(why);
  }
});

test.each(["a", "with space", "new\nline", "x".repeat(1225), "ümlaut"])(
  "a source ID that AWS would not take is refused: %j",
  (sourceId) => {
    expect(() => externalIdFor(undefined, { sourceId }, "settings")).toThrow("2 to 1224");
  },
);

test("a pinned ID does not fall back to the user's choice where the host sends none", () => {
  expect(() => externalIdFor("chosen", { sourceId: "source-1" }, "workspace")).toThrow(SettingsError);
});

test("the settings' own ID has an example, the host's has none that a user could type", () => {
  const problems = (from: "settings" | "source") => {
    try {
      return externalIdFor(undefined, {}, from);
    } catch (error) {
      return (error as SettingsError).problems;
    }
  };
  expect(problems("settings")).toEqual([
    {
      setting: "externalId",
      problem: "is needed: the event came without a source ID to take in its place",
      example: "my-source-id",
    },
  ]);
  expect(problems("source")).toEqual([
    {
      setting: "externalId",
      problem:
        "is pinned to the source's ID by the operator (AMAZON_LAMBDA_EXTERNAL_ID=source), but the event came without one",
    },
  ]);
});
