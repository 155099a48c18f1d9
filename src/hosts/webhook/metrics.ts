import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { GatesState } from "../../delivery/gates";
import { type EventOutcome, isFailure } from "./answer";
import type { Connection } from "./connection";
import type { Answered } from "./receiver";

/** Seconds. */
const LATENCIES = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What the receiver is asked for when its numbers are. */
export interface Gauges {
  readonly inFlight: () => number;
  readonly heldBytes: () => number;
  readonly shared: () => SharedState;
}

/** What all destinations of the process have together. */
export interface SharedState {
  readonly sessions: number;
  readonly gates: GatesState;
}

/** The receiver's numbers for Prometheus, under `amazon_lambda_`, with Node.js's own beside them. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #deliveries = new Counter({
    name: "amazon_lambda_deliveries_total",
    help: "Events by connection, outcome (delivered, skipped, retry, rejected, accepted, repeated) and error code.",
    labelNames: ["connection", "outcome", "code"] as const,
    registers: [this.#registry],
  });
  readonly #seconds = new Histogram({
    name: "amazon_lambda_delivery_duration_seconds",
    help: "From the hand-over of an event to its result.",
    labelNames: ["connection"] as const,
    buckets: LATENCIES,
    registers: [this.#registry],
  });
  readonly #requests = new Counter({
    name: "amazon_lambda_requests_total",
    help: "Requests by route, status and, where they were refused or failed, error code.",
    labelNames: ["route", "status", "code"] as const,
    registers: [this.#registry],
  });
  readonly #reloads = new Counter({
    name: "amazon_lambda_reloads_total",
    help: "Reloads of the connections by result (ok, failed).",
    labelNames: ["result"] as const,
    registers: [this.#registry],
  });

  constructor(gauges: Gauges) {
    gauge(this.#registry, "amazon_lambda_requests_in_flight", "Requests that are not answered yet.", gauges.inFlight);
    gauge(this.#registry, "amazon_lambda_held_bytes", "Bytes of bodies that are held.", gauges.heldBytes);
    gauge(
      this.#registry,
      "amazon_lambda_invocations_in_flight",
      "Invocations under way, of all functions.",
      () => gauges.shared().gates.inFlight,
    );
    gauge(
      this.#registry,
      "amazon_lambda_sessions",
      "Sessions of assumed roles that are kept.",
      () => gauges.shared().sessions,
    );
    new Gauge({
      name: "amazon_lambda_gates",
      help: "Functions that are not given all there is: limited (AWS throttled them), throttled or refused (tried every few seconds only).",
      labelNames: ["state"] as const,
      registers: [this.#registry],
      collect() {
        const { limited, throttled, refused } = gauges.shared().gates;
        for (const [state, functions] of Object.entries({ limited, throttled, refused }))
          this.set({ state }, functions);
      },
    });
    collectDefaultMetrics({ register: this.#registry });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** In Prometheus' text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  answered({ route, status, code = "" }: Answered): void {
    this.#requests.inc({ route, status, code });
  }

  ended({ name: connection }: Connection, outcome: EventOutcome): void {
    const code = isFailure(outcome) ? (outcome.error?.code ?? "Unknown") : "";
    this.#deliveries.inc({ connection, outcome: outcome.outcome, code });
    if ("durationMs" in outcome) this.#seconds.observe({ connection }, outcome.durationMs / 1000);
  }

  reloaded(result: "ok" | "failed"): void {
    this.#reloads.inc({ result });
  }
}

function gauge(registry: Registry, name: string, help: string, read: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(read());
    },
  });
}
