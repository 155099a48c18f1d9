import { ACCOUNT, FUNCTIONS, KEYS, REGION, ROLE_NAME } from "./account";

export const TIMEOUT_MS = 2000;

/** No `page` calls: their events are to be skipped. */
export const SETTINGS = {
  trackLambda: `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${FUNCTIONS[0]}`,
  identifyLambda: `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${FUNCTIONS[1]}`,
  roleAddress: `arn:aws:iam::${ACCOUNT}:role/${ROLE_NAME}`,
  timeoutMs: TIMEOUT_MS,
  ...KEYS,
};
