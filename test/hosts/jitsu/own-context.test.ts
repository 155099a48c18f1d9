import type { AnalyticsServerEvent } from "@jitsu/protocols/analytics";
import type { FullContext } from "@jitsu/protocols/functions";
import AmazonLambda from "../../../src/hosts/jitsu/sandbox";
import type { Settings } from "../../../src/settings/settings";

const props = {
  lambda: "arn:aws:lambda:us-east-1:123456789012:function:router-events",
  accessKeyId: "AKIDEXAMPLE00000000",
  secretAccessKey: "not/a/real+secret/only+for+this+test00000",
};

test("events side by side go out and are logged each through what Jitsu handed over with it", async () => {
  const ids = ["m-1", "m-2", "m-3"];
  const sent: string[][] = [];
  let allOut = () => {};
  const untilAllAreOut = new Promise<void>((resolve) => {
    allOut = resolve;
  });
  const logged: string[][] = [];

  async function call(messageId: string): Promise<void> {
    const ctx = {
      props,
      source: { id: "my-source-id" },
      log: { info: (message: string) => logged.push([messageId, message]), warn() {}, debug() {}, error() {} },
      async fetch(_url: string, init: { body: string }, _extra?: object) {
        sent.push([messageId, JSON.parse(init.body).messageId]);
        if (sent.length === ids.length) allOut();
        await untilAllAreOut;
        return { status: 200, headers: { "x-amzn-requestid": `r-${messageId}` }, text: async () => "null" };
      },
    };
    const event = { type: "track", event: "Order Completed", messageId, userId: messageId };
    await AmazonLambda(event as unknown as AnalyticsServerEvent, ctx as unknown as FullContext<Settings>);
  }
  await Promise.all(ids.map(call));

  expect(sent.sort()).toEqual(ids.map((id) => [id, id]));
  expect(logged.sort()).toEqual(
    ids.map((id) => [id, expect.stringMatching(new RegExp(`^Delivered ${id} to .* \\(AWS request r-${id}\\)\\.$`))]),
  );
});
