import { createNodeAws } from "../../src/aws/node";
import { createDestinationIn } from "../../src/destination/create-destination";
import { startEmbeddedAws } from "../../src/local/aws/embedded-aws";
import { pointEnvironmentAt } from "../iam/scene";
import { trust } from "../local/aws/policies";
import { routerOn } from "../router";

test("the first delivery of a process brings no warning into its host's log, whatever the version of Node.js", async () => {
  const environment = { ...process.env };
  const warnings: string[] = [];
  process.on("warning", ({ message }) => warnings.push(message));
  const aws = await startEmbeddedAws();
  pointEnvironmentAt(aws.url);
  const { arn, accessKeyId, secretAccessKey } = aws.addUser({ name: "router" });
  const { arn: roleAddress } = aws.addRole({
    name: "invoker",
    trustPolicy: trust(arn, "my-source-id"),
    permissionPolicies: [],
  });
  const node = createNodeAws();
  const surroundings = routerOn(node);
  const settings = { lambda: "router-events", region: "us-east-1", roleAddress, accessKeyId, secretAccessKey };

  const result = await createDestinationIn(surroundings, settings).deliver(
    { type: "track", event: "A" },
    { sourceId: "my-source-id" },
  );
  await node.address("lambda", "eu-west-1");
  await new Promise((resolve) => setImmediate(resolve));

  expect(result).toMatchObject({ error: { code: "AccessDenied" } });
  expect(warnings).toEqual([]);
  expect(process.env).not.toHaveProperty("AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED");
  await aws.close();
  process.env = environment;
});
