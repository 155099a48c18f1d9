// @ts-nocheck
import { covers, principalOf } from "../../src/iam/principal";

const SESSION = "arn:aws:sts::111122223333:assumed-role/router/i-0123";

test.each([
  ["a session's role", SESSION, "arn:aws:iam::111122223333:role/router"],
  ["a user itself", "arn:aws:iam::111122223333:user/router", "arn:aws:iam::111122223333:user/router"],
  [
    "the role in its partition",
    "arn:aws-cn:sts::111122223333:assumed-role/router/x",
    "arn:aws-cn:iam::111122223333:role/router",
  ],
])("a trust policy has to name %s", (_what, caller, principal) => {
  expect(principalOf(caller)).toBe(principal);
  expect(covers(principal, caller)).toBe(true);
});

test.each([
  ["the session's role under a path", "arn:aws:iam::111122223333:role/hosts/router", true],
  ["the session itself", SESSION, true],
  ["the caller's account", "arn:aws:iam::111122223333:root", true],
  ["another account", "arn:aws:iam::444455556666:root", false],
  ["the role of that name in another account", "arn:aws:iam::444455556666:role/router", false],
  ["another role", "arn:aws:iam::111122223333:role/router-2", false],
  ["a user of the role's name", "arn:aws:iam::111122223333:user/router", false],
])("whether a session is covered by %s", (_what, principal, covered) => {
  expect(covers(principal, SESSION)).toBe(covered);
});
