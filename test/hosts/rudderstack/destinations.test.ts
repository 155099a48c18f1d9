import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { MadeByConfig } from "../../../src/hosts/rudderstack/destinations";

const config = (n: number) => ({ trackLambda: "router-events", externalId: `id-${n}` });

function counting() {
  const made: string[] = [];
  const byConfig = new MadeByConfig((settings) => {
    made.push(settings["externalId"] as string);
    return { of: settings["externalId"] };
  });
  return { made, byConfig };
}

test("the events of a request with a configuration that never came before have the same destination", () => {
  const { made, byConfig } = counting();

  const all = [1, 2, 3].map(() => byConfig.for(config(1), "my-workspace-id"));

  expect(new Set(all).size).toBe(1);
  expect(made).toEqual(["id-1"]);
});

test("a destination that came twice is kept, however many configurations a template makes beside it", () => {
  const { made, byConfig } = counting();
  byConfig.for(config(-1), "my-workspace-id");
  byConfig.for(config(0), "my-workspace-id");
  const kept = byConfig.for(config(-1), "my-workspace-id");

  for (let n = 1; n <= 3000; n++) byConfig.for(config(n), "my-workspace-id");

  expect(byConfig.for(config(-1), "my-workspace-id")).toBe(kept);
  expect(made.filter((id) => id === "id--1")).toHaveLength(2);
});

test("a configuration that comes between those of a template is kept as well", () => {
  const { made, byConfig } = counting();
  for (let n = 1; n <= 1000; n++) {
    byConfig.for(config(n), "my-workspace-id");
    byConfig.for(config(0), "my-workspace-id");
  }

  expect(made.filter((id) => id === "id-0")).toHaveLength(2);
});

test("another workspace has a destination of its own", () => {
  const { byConfig } = counting();

  expect(byConfig.for(config(1), "my-workspace-id")).not.toBe(byConfig.for(config(1), "another-workspace-id"));
});

test("what is made for settings by template is not held on to", async () => {
  const destinations: WeakRef<object>[] = [];
  const byConfig = new MadeByConfig((settings) => {
    const made = { settings };
    destinations.push(new WeakRef(made));
    return made;
  });

  for (let n = 1; n <= 100; n++) byConfig.for(config(n), "my-workspace-id");
  await new Promise((resolve) => setImmediate(resolve));
  collectGarbage();

  expect(destinations.filter((made) => made.deref() !== undefined)).toHaveLength(1);
});

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}
