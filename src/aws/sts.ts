import type { AssumeRoleRequest, AwsCredentials } from "./aws";
import type { AwsError } from "./aws-error";
import type { AwsTime } from "./clock";
import type { Deadline } from "./deadline";
import { incompleteAnswer, noIdentity, transportFailure } from "./failed-call";
import { type LambdaPorts, serviceError } from "./lambda";
import { SignedRequest, Signer, uriEncode } from "./signature";
import type { WireAnswer } from "./transport";

/**
 * STS's AssumeRole over nothing but a way to send HTTP requests, for sandboxes that cannot hold the AWS SDK: same request,
 * same signature, same errors.
 *
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 */
export function stsAssumeRole({ time, crypto, transport, endpoint: endpointOf }: LambdaPorts) {
  return async function assumeRole(request: AssumeRoleRequest, deadline: Deadline): Promise<AwsCredentials> {
    const { roleArn, externalId, sessionName, policy, region, base } = request;
    if (!base) throw noIdentity("sts");
    const body = formOf({
      Action: "AssumeRole",
      Version: "2011-06-15",
      RoleArn: roleArn,
      RoleSessionName: sessionName,
      Policy: policy,
      ExternalId: externalId,
    });
    const endpoint = await endpointOf(region, deadline);
    const signed = new SignedRequest(new Signer(crypto, base, region, "sts"), {
      host: endpoint.host,
      path: `${endpoint.basePath}/`,
      headers: { "content-type": "application/x-www-form-urlencoded" },
    });
    let answer: WireAnswer;
    try {
      const headers = signed.headers(body, time.now());
      answer = await (deadline.via ?? transport).post({ endpoint, path: signed.path, headers, body }, deadline);
    } catch (error) {
      throw transportFailure("sts", error, deadline);
    }
    if (answer.status !== 200) throw stsError(answer, time);
    return credentialsFrom(answer);
  };
}

function formOf(fields: Readonly<Record<string, string>>): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${uriEncode(value)}`)
    .join("&");
}

function credentialsFrom({ body }: WireAnswer): AwsCredentials {
  const accessKeyId = xmlText(body, "AccessKeyId");
  const secretAccessKey = xmlText(body, "SecretAccessKey");
  const sessionToken = xmlText(body, "SessionToken");
  const expiresAt = Date.parse(xmlText(body, "Expiration") ?? "");
  if (!accessKeyId || !secretAccessKey || !sessionToken || Number.isNaN(expiresAt)) throw incompleteAnswer();
  return { accessKeyId, secretAccessKey, sessionToken, expiresAt };
}

/** What STS calls differently from the AWS SDK. */
const SDK_NAMES: Readonly<Record<string, string>> = {
  MalformedPolicyDocument: "MalformedPolicyDocumentException",
  PackedPolicyTooLarge: "PackedPolicyTooLargeException",
};

function stsError(answer: WireAnswer, time: AwsTime): AwsError {
  const name = xmlText(answer.body, "Code") ?? "";
  return serviceError("sts", answer, time, {
    code: SDK_NAMES[name] ?? name,
    message: xmlText(answer.body, "Message"),
    requestId: xmlText(answer.body, "RequestId") ?? answer.header("x-amzn-requestid"),
  });
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** The text of the first element of that name; STS answers without namespace prefixes, comments or CDATA. */
function xmlText(xml: string, element: string): string | undefined {
  const text = new RegExp(`<${element}>([^<]*)</${element}>`).exec(xml)?.[1];
  return text?.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (entity, hexadecimal, decimal, name) => {
    if (name) return ENTITIES[name] ?? entity;
    const point = hexadecimal ? Number.parseInt(hexadecimal, 16) : Number(decimal);
    return point <= 0x10ffff ? String.fromCodePoint(point) : entity;
  });
}
