import { EventRecord } from "../../../src/hosts/webhook/event-record";

test("what was delivered is remembered by connection and message ID", () => {
  const record = new EventRecord();
  record.add("shop", "m-1");

  expect([record.has("shop", "m-1"), record.has("shop", "m-2"), record.has("site", "m-1")]).toEqual([
    true,
    false,
    false,
  ]);
});

test("it does not grow without end: the oldest is forgotten, which costs a duplicate at most", () => {
  const record = new EventRecord(3);
  for (const id of ["m-1", "m-2", "m-2", "m-3", "m-4"]) record.add("shop", id);

  expect(record.size).toBe(3);
  expect(["m-1", "m-2", "m-3", "m-4"].map((id) => record.has("shop", id))).toEqual([false, true, true, true]);
});
