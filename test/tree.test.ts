import { execFileSync } from "node:child_process";
import { join } from "node:path";

const root = join(__dirname, "..");

test("nothing that git is to ignore is in the repository", () => {
  const tracked = execFileSync("git", ["ls-files", "--cached", "--ignored", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
  });
  expect(tracked).toBe("");
});
