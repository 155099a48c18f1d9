// @ts-nocheck
// Installs the engines that Jitsu runs deployed functions in, for the tests only.
import { installApart } from "./install-apart.mjs";

installApart(
  new URL("../test/hosts/jitsu/sandboxes/", import.meta.url),
  "the sandboxes that the tests run deployed functions in (about 300 MB)",
);
