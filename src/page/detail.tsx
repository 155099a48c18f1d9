import { type ReactNode, useEffect, useState } from "react";
import type { EntryDetail, EntrySummary, TryDetail } from "../local/page-server/protocol";
import { api } from "./api";
import { CopyButton } from "./copy-button";
import { curlLine, sendable } from "./curl";
import { asLines, difference, type Line } from "./difference";
import { clock, pretty, prettyText, titleOf } from "./format";
import { JsonLines } from "./json-lines";
import { Log } from "./log";
import { goTo } from "./route";
import { StateBadge } from "./state-badge";
import { TimeLine } from "./time-line";
import { TraceLines } from "./trace";

interface Props {
  readonly id: number;
  /** Says when there is something new. */
  readonly summary: EntrySummary | undefined;
}

/** Everything about one line of the list. */
export function Detail({ id, summary }: Props) {
  const [detail, setDetail] = useState<EntryDetail>();
  const [problem, setProblem] = useState<string>();
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new summary means that there is more to fetch.
  useEffect(() => {
    const gone = new AbortController();
    api.entry(id, gone.signal).then(setDetail, (error: Error) => {
      if (!gone.signal.aborted) setProblem(error.message);
    });
    return () => gone.abort();
  }, [id, summary]);

  return (
    <article className="detail" aria-label="Details">
      <p className="back">
        <a href="#deliveries">Close</a>
      </p>
      {detail ? <Contents detail={detail} /> : <p className="nothing">{problem ?? "One moment …"}</p>}
    </article>
  );
}

function Contents({ detail }: { readonly detail: EntryDetail }) {
  const { kind, state, at, source, trail, runs, event, sent, messageId, refusal, invokedBy } = detail;
  const last = trail.at(-1);
  const run = runs.at(-1);
  return (
    <>
      <h2>
        <StateBadge state={state} /> {titleOf(detail)}
      </h2>
      <p className="facts">
        {detail.callType && kind !== "refusal" && <span>{detail.callType}</span>}
        {source && <span>source {source}</span>}
        <span>{clock(at)}</span>
        {detail.function && <span>→ {detail.function}</span>}
        {invokedBy && <span>by {invokedBy}</span>}
        {detail.replayOf !== undefined && <a href={`#deliveries/${detail.replayOf}`}>replay of an earlier delivery</a>}
      </p>
      {kind === "delivery" && <Again detail={detail} />}
      {refusal && (
        <div className="callout bad">
          <h3>The router refused this request with {refusal.status}</h3>
          <p>{refusal.message}</p>
        </div>
      )}
      {last && <Verdict detail={detail} last={last} />}
      {state === "under way" && <p className="callout">Under way. The outcome appears here.</p>}

      {(trail.length > 0 || runs.length > 0) && (
        <Section title="Time line">
          <TimeLine detail={detail} />
        </Section>
      )}
      {run && !run.failed && (
        <Section title="What the function returned" tools={<CopyButton text={() => prettyText(run.answer)} />}>
          <JsonLines lines={linesOf(run.answer)} label="What the function returned" />
        </Section>
      )}
      {run && (
        <Section title="Log" tools={<CopyButton text={() => runs.map(({ log }) => log).join("\n")} />}>
          <Log runs={runs} />
        </Section>
      )}
      {kind === "delivery" && <EventSection event={event} sent={sent} />}
      {kind === "invocation" && (
        <Section title="Payload" tools={<CopyButton text={() => pretty(sent)} />}>
          <JsonLines lines={asLines(sent)} label="Payload" />
        </Section>
      )}
      {run?.failed && (
        <details className="part">
          <summary>What Lambda answered with</summary>
          <JsonLines lines={linesOf(run.answer)} label="What Lambda answered with" />
        </details>
      )}
      {run?.clientContext !== undefined && (
        <Section title="Client context">
          <JsonLines lines={asLines(run.clientContext)} label="Client context" />
        </Section>
      )}
      {(messageId || run || last?.requestId) && (
        <Section title="IDs">
          <dl className="ids">
            {messageId && <Id name="Message ID" value={messageId} />}
            {(run?.requestId ?? last?.requestId) && (
              <Id name="Request ID" value={run?.requestId ?? last?.requestId ?? ""} />
            )}
            {(run?.arn ?? last?.function) && <Id name="Function" value={run?.arn ?? last?.function ?? ""} />}
            {(run?.version ?? last?.executedVersion) && (
              <Id name="Version" value={run?.version ?? last?.executedVersion ?? ""} />
            )}
            {run?.batchSize !== undefined && <Id name="Events in the batch" value={String(run.batchSize)} />}
          </dl>
        </Section>
      )}
    </>
  );
}

function Id({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <code>{value}</code>
      </dd>
    </div>
  );
}

function Section({
  title,
  tools,
  children,
}: {
  readonly title: string;
  readonly tools?: ReactNode;
  readonly children: ReactNode;
}) {
  return (
    <section className="part">
      <div className="part-head">
        <h3>{title}</h3>
        {tools}
      </div>
      {children}
    </section>
  );
}

/** What went wrong and what to do, in the words of the delivery result. */
function Verdict({ detail, last }: { readonly detail: EntryDetail; readonly last: TryDetail }) {
  const { error, next, outcome, keptAway } = last;
  const failedRun = detail.runs.findLast(({ failed }) => failed);
  if (keptAway)
    return (
      <p className="callout">
        The event's <code>integrations</code> keep it from this destination: nothing was sent.
      </p>
    );
  if (!error && outcome === "skipped")
    return (
      <p className="callout">
        No function is set for {detail.callType} calls of the source {detail.source}: nothing was sent.
      </p>
    );
  if (!error && failedRun && detail.problem) return <p className="callout warn">{detail.problem}.</p>;
  if (!error) return null;
  return (
    <div className={next === "retry" ? "callout warn" : "callout bad"}>
      <h3>{error.label}</h3>
      <p>{error.message}</p>
      <TraceLines trace={error.functionError?.trace ?? []} />
      <p className="hint">{error.hint}</p>
      {next === "retry" && <p>The router will try again.</p>}
      {next === "dead letter" && (
        <p>
          <b>The router has given up: the event is lost here.</b> A real router would keep it in its dead letters. Fix
          what the message names, then replay it.
        </p>
      )}
    </div>
  );
}

function linesOf(json: string): Line[] {
  try {
    return asLines(JSON.parse(json));
  } catch {
    return json.split("\n").map((text) => ({ mark: " ", depth: 0, text }));
  }
}

const SIDES = ["Difference", "As received", "As sent"] as const;

function EventSection({ event, sent }: { readonly event: unknown; readonly sent: unknown }) {
  const [side, setSide] = useState<(typeof SIDES)[number]>("Difference");
  if (sent === undefined) {
    return (
      <Section title="Event" tools={<CopyButton text={() => pretty(event)} />}>
        <p className="note">As the router received it. Nothing was sent to a function.</p>
        <JsonLines lines={asLines(event)} label="The event as the router received it" />
      </Section>
    );
  }
  const lines = { Difference: difference(event, sent), "As received": asLines(event), "As sent": asLines(sent) }[side];
  return (
    <Section title="Event" tools={<CopyButton text={() => pretty(side === "As received" ? event : sent)} />}>
      <fieldset className="sides">
        <legend className="unseen">Side of the event</legend>
        {SIDES.map((each) => (
          <button type="button" key={each} aria-pressed={side === each} onClick={() => setSide(each)}>
            {each}
          </button>
        ))}
      </fieldset>
      {side === "Difference" && (
        <p className="note">
          From the event as the router received it (<span className="gone">−</span>) to the Segment event that the
          function got (<span className="new">+</span>).
        </p>
      )}
      <JsonLines lines={lines} label={side === "Difference" ? "Difference between received and sent" : side} />
    </Section>
  );
}

/** Replays the event, as it was or edited. */
function Again({ detail }: { readonly detail: EntryDetail }) {
  const { id, event, source = "", endpoint } = detail;
  const [draft, setDraft] = useState<string>();
  const [problem, setProblem] = useState<string>();

  const replay = async (edited?: unknown) => {
    try {
      const { id: replayed } = await api.replay(id, edited);
      goTo({ view: "deliveries", entry: replayed });
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  const replayDraft = () => {
    try {
      void replay(JSON.parse(draft ?? ""));
    } catch (error) {
      setProblem(`This is not JSON: ${(error as Error).message}`);
    }
  };

  return (
    <>
      <p className="tools">
        <button type="button" className="primary" onClick={() => void replay()}>
          Replay
        </button>
        <button
          type="button"
          aria-expanded={draft !== undefined}
          onClick={() => setDraft(draft === undefined ? pretty(event) : undefined)}
        >
          Edit and replay
        </button>
        {endpoint && (
          <CopyButton label="Copy as curl" text={() => curlLine(location.origin, source, endpoint, sendable(event))} />
        )}
      </p>
      {draft !== undefined && (
        <div className="editor">
          <textarea
            aria-label="Event to replay"
            spellCheck={false}
            rows={16}
            value={draft}
            onChange={(change) => {
              setDraft(change.target.value);
              setProblem(undefined);
            }}
          />
          <button type="button" className="primary" onClick={replayDraft}>
            Replay the edited event
          </button>
        </div>
      )}
      {problem !== undefined && (
        <p className="callout bad" role="alert">
          {problem}
        </p>
      )}
    </>
  );
}
