import type { AwsErrorDetails } from "../aws/aws-error";
import type { Address } from "../aws/sdk";
import { classifyAwsFailure } from "../delivery/classify";
import { hintFor, WRONG_SCOPE } from "../delivery/failures";
import type { DiagnosisRule } from "./diagnosis";

/** A call to AWS that failed. */
export interface FailedCall {
  readonly error: AwsErrorDetails;
  readonly region: string;
  /** Where AWS was asked, as far as that is known. */
  readonly address?: Address;
  /** Whose keys signed: the settings' or the router's own. */
  readonly keys: "settings" | "router";
}

const isCode =
  (...codes: readonly string[]) =>
  ({ error }: FailedCall) =>
    codes.includes(error.code);

/** What can be wrong with any call to AWS; the last row takes the rest. */
export const CALL_DIAGNOSES: readonly DiagnosisRule<FailedCall>[] = [
  {
    name: "MissingSdk",
    label: "AWS SDK missing",
    applies: ({ error }) => error.kind === "installation",
    advice: ({ error }) => hintFor(classifyAwsFailure(error), error),
  },
  {
    name: "NoBaseIdentity",
    label: "No base identity",
    applies: ({ error }) => error.kind === "identity",
    advice: () =>
      "Give the router an AWS identity (an instance, task or pod role, AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in its environment), renew it where it is an SSO session that has ended (aws sso login), or fill in Access Key ID and Secret Access Key.",
  },
  {
    name: "ClockSkew",
    label: "Clock skew",
    applies: ({ error }) =>
      ["RequestTimeTooSkewed", "RequestExpired"].includes(error.code) ||
      /Signature (expired|not yet current)/i.test(error.message),
    advice: () =>
      'The clock of this machine is more than 5 minutes off. Set it, and keep it set ("timedatectl set-ntp true", or the time service of the host of a container or virtual machine).',
  },
  {
    name: "ExpiredBaseSession",
    label: "Expired base session",
    applies: isCode("ExpiredToken", "ExpiredTokenException"),
    advice: () =>
      'The temporary credentials that the router runs with have expired. Renew them ("aws sso login", or a new AWS_SESSION_TOKEN), or better run it with a role, which AWS renews by itself.',
  },
  {
    name: "UnknownAccessKey",
    label: "Unknown access key",
    applies: isCode("InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId"),
    advice: ({ keys }) =>
      `AWS does not know the access key: it was deleted, switched off or mistyped, or belongs to another partition. ${KEYS_TO_CHANGE[keys]}`,
  },
  {
    name: "EndpointOfAnotherRegion",
    label: "Endpoint of another region",
    applies: ({ error }) => WRONG_SCOPE.test(error.message),
    advice: ({ error, region }) =>
      `What answers is not ${error.service} in ${region}. Correct AWS_ENDPOINT_URL (or AWS_ENDPOINT_URL_${error.service.toUpperCase()}, or endpoint_url in ~/.aws/config) for this region, or remove it; or correct Region in the settings.`,
  },
  {
    name: "WrongSecretKey",
    label: "Wrong secret key",
    applies: isCode("SignatureDoesNotMatch", "InvalidSignatureException"),
    advice: ({ keys }) => `The secret key does not belong to the access key. ${KEYS_TO_CHANGE[keys]}`,
  },
  {
    name: "ProxyRefused",
    label: "Proxy refused",
    applies: isCode("ProxyRefused"),
    advice: (call) =>
      `The proxy does not let the router through to ${where(call)}. Correct its rules, or the user and password in HTTPS_PROXY; what can be reached without a proxy belongs into NO_PROXY.`,
  },
  {
    name: "UntrustedCertificate",
    label: "Untrusted certificate",
    applies: ({ error }) => UNTRUSTED.test(error.code),
    advice: (call) =>
      `The certificate that is shown at ${where(call)} is of an authority that Node.js does not know: of a proxy that looks into connections, or of an endpoint of your own. Name the PEM file of that authority in AWS_CA_BUNDLE or NODE_EXTRA_CA_CERTS.`,
  },
  {
    name: "NoRouteToAws",
    label: "No route to AWS",
    applies: ({ error }) => error.kind === "network" || error.kind === "timeout",
    advice: (call) =>
      `Nothing answers at ${where(call)}. Check the region, DNS, the firewall and the proxy (HTTPS_PROXY, NO_PROXY); in a VPC without internet, add the interface endpoint com.amazonaws.${call.region}.${call.error.service}. An AWS_ENDPOINT_URL in the environment takes the place of AWS.`,
  },
  {
    name: "Throttled",
    label: "Throttled",
    applies: ({ error }) => classifyAwsFailure(error) === "Throttled",
    advice: () =>
      "AWS limits the rate of these calls. Wait a minute and check again; if it lasts, something else in this account calls too often.",
  },
  {
    name: "RegionDisabled",
    label: "Region disabled",
    applies: isCode("RegionDisabledException"),
    advice: ({ region }) =>
      `Activate STS for ${region} in the role's account (IAM console, Account settings), or use another region.`,
  },
  {
    name: "UnexpectedError",
    label: "Unexpected error",
    applies: () => true,
    advice: ({ error }) => hintFor(classifyAwsFailure(error), error),
  },
];

/** What Node.js calls a certificate whose authority it does not know. */
const UNTRUSTED = /^(UNABLE_TO_(VERIFY|GET_ISSUER)|SELF_SIGNED|DEPTH_ZERO_SELF_SIGNED)/;

function where({ error, region, address }: FailedCall): string {
  const url = address?.url ?? `${error.service}.${region}`;
  return address?.proxy === undefined ? url : `${url} through the proxy ${address.proxy}`;
}

const KEYS_TO_CHANGE = {
  settings: "Correct Access Key ID and Secret Access Key in the settings.",
  router: "Correct the AWS identity that the router runs with (AWS_ACCESS_KEY_ID, AWS_PROFILE, ~/.aws/credentials).",
} as const;
