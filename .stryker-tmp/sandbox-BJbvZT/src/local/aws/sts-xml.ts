// @ts-nocheck
import type { Answer } from "./http-message";
import type { ServiceError } from "./service-error";

const namespace = "https://sts.amazonaws.com/doc/2011-06-15/";

/** Elements by name, in order. */
export type Xml = { readonly [element: string]: string | Xml };

export function stsError(error: ServiceError, requestId: string): Answer {
  const answer = xmlAnswer(error.status, requestId, "ErrorResponse", {
    Error: { Type: error.status >= 500 ? "Receiver" : "Sender", Code: error.code, Message: error.message },
    RequestId: requestId,
  });
  return { ...answer, headers: { ...answer.headers, ...error.headers } };
}

export function xmlAnswer(status: number, requestId: string, root: string, content: Xml): Answer {
  return {
    status,
    headers: { "content-type": "text/xml", "x-amzn-requestid": requestId },
    body: `<${root} xmlns="${namespace}">\n${toXml(content, "  ")}</${root}>\n`,
  };
}

function toXml(content: Xml, indent: string): string {
  return Object.entries(content)
    .map(([element, value]) =>
      typeof value === "string"
        ? `${indent}<${element}>${escapeXml(value)}</${element}>\n`
        : `${indent}<${element}>\n${toXml(value, `${indent}  `)}${indent}</${element}>\n`,
    )
    .join("");
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function escapeXml(text: string): string {
  return (
    text
      .replace(/[&<>"]/g, (char) => entities[char] as string)
      // XML 1.0 cannot hold other control characters, not even escaped.
      .replace(/[^\P{Cc}\t\n\r]|[\ufffe\uffff]/gu, "\ufffd")
      .replace(/\r/g, "&#xD;")
  );
}
