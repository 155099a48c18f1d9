export const ACCOUNT = "123456789012";
export const REGION = "us-east-1";
export const FUNCTIONS = ["chaos-events", "chaos-users"] as const;
export const ROLE_NAME = "router-events-invoker";
export const KEYS = {
  accessKeyId: "AKIDEXAMPLECHAOS0000",
  secretAccessKey: "chaosSecretThatOpensNothingAtAll00000000",
};
