/** The kinds of source that RudderStack connects to destinations. */
// @ts-nocheck

export const SOURCE_TYPES = [
  "android",
  "androidKotlin",
  "ios",
  "iosSwift",
  "web",
  "unity",
  "amp",
  "cloud",
  "warehouse",
  "reactnative",
  "flutter",
  "cordova",
  "shopify",
] as const;

/** Events go through the server, never from a device straight to the destination. */
export const CLOUD_MODE = "cloud";
