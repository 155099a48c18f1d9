/** What newer consoles of Jitsu show and send back in place of a secret that they have stored. */
// @ts-nocheck

export const MASKED_SECRET = "__MASKED_BY_JITSU__";
