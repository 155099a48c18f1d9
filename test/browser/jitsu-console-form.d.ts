/** The file that `install jitsu` writes; the test that bundles it puts it there. */
declare module "jitsu-console-form" {
  export const amazonLambda: import("../hosts/jitsu/console").Form;
}
