import type { DeliveryErrorCode, DeliveryOutcome } from "./delivery-result";

/** What a failure means for the host and for the user. */
export interface Failure {
  /** The words that users search for. */
  readonly label: string;
  /** `rejected` only where no waiting and no change of settings can make the event deliverable. */
  readonly outcome: Extract<DeliveryOutcome, "retry" | "rejected">;
  readonly status: number;
  /** What to do next. */
  readonly hint: string;
}

/** Every way a delivery can fail, and what it means. */
export const FAILURES: Readonly<Record<DeliveryErrorCode, Failure>> = {
  ExecutionError: {
    label: "Execution Error",
    outcome: "retry",
    status: 500,
    hint: "The function threw an error for this event. Read its log (Log Type Tail puts the end of it into the result), fix the function, and the retry will be delivered. To give an event up on purpose, throw an error named DropEvent.",
  },
  RejectedByFunction: {
    label: "Execution Error",
    outcome: "rejected",
    status: 400,
    hint: "The function gave this event up by the name of the error it threw. If that was not meant, let it throw any other error or a RetryError.",
  },
  OperationTimedOut: {
    label: "Operation timedout",
    outcome: "retry",
    status: 504,
    hint: "Make the function faster, give it more memory, raise its own timeout at AWS, or raise Timeout (ms) in the settings. The function may have run: let it tolerate the same messageId twice.",
  },
  AccessDenied: {
    label: "Accessdenied",
    outcome: "retry",
    status: 500,
    hint: "Check the IAM role: its trust policy must name the identity that the router runs as and the External ID; its permission policy must allow lambda:InvokeFunction on the function's ARN and on ARN:*.",
  },
  InvalidCredentials: {
    label: "Invalid Credentials",
    outcome: "retry",
    status: 500,
    hint: "Check the keys in the settings, or the AWS identity that the router runs as: they are missing, wrong, expired or switched off. Check the router's clock as well.",
  },
  Throttled: {
    label: "Throttled",
    outcome: "retry",
    status: 429,
    hint: "AWS limits the rate of calls. The event is sent again later; if this lasts, raise the function's reserved concurrency or the account's limit, or raise Max Batch Size.",
  },
  FunctionNotFound: {
    label: "Function not found",
    outcome: "retry",
    status: 500,
    hint: "Check the function's name, its version or alias, and the region in the settings. The event is kept and retried.",
  },
  FunctionNotReady: {
    label: "Function not ready",
    outcome: "retry",
    status: 500,
    hint: "AWS cannot start the function at the moment (it is being changed, or its runtime, network, file system, key or code package has a problem). Look at the function's state in the Lambda console.",
  },
  ServiceError: {
    label: "AWS service error",
    outcome: "retry",
    status: 500,
    hint: "AWS itself failed. The event is retried; if this lasts, look at the AWS Health Dashboard.",
  },
  NetworkError: {
    label: "Network error",
    outcome: "retry",
    status: 500,
    hint: "The router cannot reach AWS. Check its network, DNS, firewall and the region in the settings (HTTP proxies are not used). The function may have run if the connection broke after the request was sent.",
  },
  InvalidSettings: {
    label: "Invalid Settings",
    outcome: "retry",
    status: 500,
    hint: "Correct the settings named in the message. The event is kept and retried.",
  },
  PayloadTooLarge: {
    label: "Payload too large",
    outcome: "rejected",
    status: 413,
    hint: "AWS Lambda takes 6,291,456 bytes per invocation, 1,048,576 with Invocation Type Event. Send less in one event.",
  },
  InvalidEvent: {
    label: "Invalid Event",
    outcome: "rejected",
    status: 400,
    hint: "An event must be a JSON object with a type of track, identify, page, screen, group or alias. Correct the sender.",
  },
  RecursiveInvocation: {
    label: "Recursive invocation",
    outcome: "rejected",
    status: 400,
    hint: "AWS stopped a loop: the function sends events that come back to it. Break the loop, or allow it in the function's recursion settings.",
  },
  Unknown: {
    label: "Unknown error",
    outcome: "retry",
    status: 500,
    hint: "AWS answered with an error that this version does not know. The event is retried; please report the error's name.",
  },
};
