import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import type { Aws, InvokeAnswer } from "../../src/aws/aws";
import { AwsError } from "../../src/aws/aws-error";
import type { Deadline } from "../../src/aws/deadline";
import { noIdentity } from "../../src/aws/failed-call";
import { createNodeAws } from "../../src/aws/node";
import { functionNameForInvoke } from "../../src/names/function-reference";

type Failure = Error & {
  readonly code?: string;
  readonly Reason?: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
  readonly $response?: { readonly statusCode?: number; readonly headers?: Readonly<Record<string, string>> };
};

/** Invocations by the AWS SDK's own Lambda client: what ours are measured against. */
export function sdkReference(): Aws {
  return {
    ...createNodeAws(),

    async invoke({ target, payload, credentials }, deadline): Promise<InvokeAnswer> {
      const { function: reference, region, invocationType, logType, clientContext } = target;
      const client = new LambdaClient({ region, maxAttempts: 1, ...(credentials && { credentials }) });
      const command = new InvokeCommand({
        FunctionName: functionNameForInvoke(reference),
        Qualifier: reference.qualifier,
        InvocationType: invocationType,
        LogType: logType === "Tail" ? "Tail" : undefined,
        ClientContext: clientContext,
        Payload: payload,
      });
      try {
        const answer = await client.send(command, { abortSignal: AbortSignal.timeout(Math.ceil(deadline.left)) });
        return {
          status: answer.StatusCode ?? 200,
          payload: answer.Payload?.transformToString() ?? "",
          ...(answer.$metadata.requestId && { requestId: answer.$metadata.requestId }),
          ...(answer.ExecutedVersion && { executedVersion: answer.ExecutedVersion }),
          ...(answer.FunctionError && { functionError: answer.FunctionError }),
          ...(answer.LogResult && { logResult: answer.LogResult }),
        };
      } catch (error) {
        throw asAwsError(error as Failure, deadline);
      } finally {
        client.destroy();
      }
    },
  };
}

function asAwsError({ name, message, code, Reason, $metadata, $response }: Failure, deadline: Deadline): AwsError {
  if (name === "AbortError" || name === "TimeoutError") return deadline.error("lambda");
  if (name === "CredentialsProviderError") return noIdentity("lambda");
  const status = $metadata?.httpStatusCode ?? $response?.statusCode;
  if (status === undefined) return new AwsError({ service: "lambda", kind: "network", code: code ?? name, message });
  const retryAfter = $response?.headers?.["retry-after"];
  return new AwsError({
    service: "lambda",
    kind: "service",
    code: name,
    message,
    status,
    ...($metadata?.requestId && { requestId: $metadata.requestId }),
    ...(Reason && { reason: Reason }),
    ...(retryAfter !== undefined && { retryAfterMs: Number(retryAfter) * 1000 }),
  });
}
