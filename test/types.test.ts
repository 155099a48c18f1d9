import { createDestination, type Settings } from "../src/index";

/** Compiled by `npm run typecheck`, where a misspelt key that is no error is one. */
function whatAnEditorSays(fromAForm: unknown, fromAFile: Record<string, unknown>, typed: Settings) {
  createDestination({ lambda: "events", region: "us-east-1" });
  createDestination(typed);
  createDestination(fromAForm);
  createDestination(fromAFile);
  // @ts-expect-error: a misspelt key
  createDestination({ lamda: "events", region: "us-east-1" });
  // @ts-expect-error: a misspelt key beside good ones
  createDestination({ lambda: "events", maxBatchsize: 10 });
  // @ts-expect-error: what a host's own queue needs is not for everybody
  createDestination(typed).planAnew;
  // @ts-expect-error: nor is that
  createDestination(typed).send;
}

test("settings in code are checked by the compiler, those from elsewhere when they are used", () => {
  expect(whatAnEditorSays).toBeInstanceOf(Function);
});
