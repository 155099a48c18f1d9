/**
 * The second argument of a handler.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html
 */
// @ts-nocheck

export interface HandlerContext {
  readonly functionName: string;
  readonly functionVersion: string;
  readonly invokedFunctionArn: string;
  /** A number in a string, as in Lambda's Node.js runtime. */
  readonly memoryLimitInMB: string;
  readonly awsRequestId: string;
  readonly logGroupName: string;
  readonly logStreamName: string;
  readonly clientContext: unknown;
  readonly identity: undefined;
  /** Of functions in tenant isolation mode. */
  readonly tenantId: string | undefined;
  callbackWaitsForEmptyEventLoop: boolean;
  /** Milliseconds until the function's timeout; real time, whatever the embedded AWS's clock says. */
  getRemainingTimeInMillis(): number;
}

export type Callback = (error?: unknown, result?: unknown) => void;

/**
 * A handler in any of the forms that Lambda's Node.js runtimes run: async, returning its result, or, with three
 * parameters, calling back.
 */
export type Handler = (event: unknown, context: HandlerContext, callback: Callback) => unknown;

export interface ContextFields {
  readonly functionName: string;
  readonly functionVersion: string;
  readonly invokedFunctionArn: string;
  readonly memoryMb: number;
  readonly requestId: string;
  readonly logGroupName: string;
  readonly logStreamName: string;
  /** JSON. */
  readonly clientContext: string | undefined;
  readonly tenantId?: string | undefined;
  /** Milliseconds since 1970, by the real clock. */
  readonly deadline: number;
}

export function handlerContext(fields: ContextFields): HandlerContext {
  return {
    functionName: fields.functionName,
    functionVersion: fields.functionVersion,
    invokedFunctionArn: fields.invokedFunctionArn,
    memoryLimitInMB: String(fields.memoryMb),
    awsRequestId: fields.requestId,
    logGroupName: fields.logGroupName,
    logStreamName: fields.logStreamName,
    clientContext: fields.clientContext === undefined ? undefined : JSON.parse(fields.clientContext),
    identity: undefined,
    tenantId: fields.tenantId,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, fields.deadline - Date.now()),
  };
}
