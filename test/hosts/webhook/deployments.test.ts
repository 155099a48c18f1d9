import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, parseAllDocuments } from "yaml";
import { serve } from "../../../src/cli/serve";
import { connectionsFromFile } from "../../../src/hosts/webhook/connections-file";
import { DEFAULT_OPERATOR_POLICY } from "../../../src/settings/operator-policy";
import { composeProblems } from "../../compose";
import { RecordingBehind } from "./recording-behind";

const example = (name: string) => readFileSync(join(__dirname, "../../../examples", name), "utf8");
const loaded = (json: string) =>
  connectionsFromFile(JSON.parse(json), {
    operator: DEFAULT_OPERATOR_POLICY,
    secrets: { env: { HOOK_SECRET: "a-secret-of-mine" }, readFile: () => "a-secret-of-mine" },
    behind: () => new RecordingBehind(),
    keepIn: () => async () => {},
  });
const manifests = parseAllDocuments(example("kubernetes/receiver.yaml")).map((document) => document.toJS());
const ofKind = (kind: string) => manifests.find((manifest) => manifest.kind === kind);

/** The options in a command line, of which `serve` must know each. */
function unknownOptions(args: readonly string[]): string[] {
  return args.filter((arg) => arg.startsWith("--")).filter((arg) => !serve.help.includes(`${arg.split("=")[0]} <`));
}

test("the connections of the examples are right", () => {
  for (const json of [example("compose/connections.json"), ofKind("ConfigMap").data["connections.json"]]) {
    expect(loaded(json).named("my-source-id")?.credentials).toHaveLength(1);
  }
});

test("the examples call the command as it is", () => {
  const [, command = "[]"] = /^CMD (\[.*\])$/m.exec(example("compose/Dockerfile")) ?? [];
  const [container] = ofKind("Deployment").spec.template.spec.containers;
  for (const args of [JSON.parse(command) as string[], container.args as string[]]) {
    expect(args[0]).toBe("serve");
    expect(args.length).toBeGreaterThan(3);
    expect(unknownOptions(args)).toEqual([]);
  }
  expect(unknownOptions(["--nonsense"])).toEqual(["--nonsense"]);
});

test("what belongs together in the Kubernetes manifest has the same names", () => {
  const { metadata, spec } = ofKind("Deployment");
  const { labels } = spec.template.metadata;
  expect(spec.selector.matchLabels).toEqual(labels);
  expect(ofKind("Service").spec.selector).toEqual(labels);
  expect(ofKind("PodDisruptionBudget").spec.selector.matchLabels).toEqual(labels);
  expect(ofKind("HorizontalPodAutoscaler").spec.scaleTargetRef.name).toBe(metadata.name);
  expect(spec.template.spec.serviceAccountName).toBe(ofKind("ServiceAccount").metadata.name);
});

test("the compose file's receiver has the secret that its connections ask for", () => {
  const compose = example("compose/compose.yaml");
  expect(composeProblems(compose)).toEqual([]);
  const { services } = parse(compose);
  expect(Object.keys(services.receiver.environment)).toContain("HOOK_SECRET");
  expect(services.receiver.volumes).toContain("./connections.json:/config/connections.json:ro");
});
