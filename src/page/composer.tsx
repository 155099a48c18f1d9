import { useId, useState } from "react";
import type { EntrySummary, PageState, SampleCall } from "../local/page-server/protocol";
import { api } from "./api";
import { CopyButton } from "./copy-button";
import { curlLine } from "./curl";
import { pretty } from "./format";
import { StateBadge } from "./state-badge";

interface Answer {
  readonly ok: boolean;
  readonly text: string;
  /** Of the event that was sent, where it is a single one. */
  readonly messageId?: string;
}

interface Props {
  readonly state: PageState;
  readonly entries: readonly EntrySummary[];
}

/** Sends an event to the router, as a Segment library would. */
export function Composer({ state, entries }: Props) {
  const { samples, sources, callTypes } = state;
  const ids = { source: useId(), endpoint: useId(), body: useId() };
  const [first] = samples;
  const [source, setSource] = useState(sources[0]?.id ?? "");
  const [endpoint, setEndpoint] = useState(first?.endpoint ?? "track");
  const [text, setText] = useState(() => pretty(first?.body ?? {}));
  const [answer, setAnswer] = useState<Answer>();

  const take = (sample: SampleCall) => {
    setSource(sample.source);
    setEndpoint(sample.endpoint);
    setText(pretty(sample.body));
    setAnswer(undefined);
  };
  const { value, problem } = read(text);
  const send = async () => {
    if (problem !== undefined) return;
    // As Segment's libraries do: without an ID of its own, the same body would count as the same event.
    const body = endpoint === "batch" ? value : { messageId: crypto.randomUUID(), ...Object(value) };
    const { messageId } = body as { messageId?: string };
    try {
      setAnswer({ ...(await api.send(source, endpoint, body)), ...(messageId !== undefined && { messageId }) });
    } catch (error) {
      setAnswer({ ok: false, text: (error as Error).message });
    }
  };

  const entry = entries.find(({ messageId }) => messageId !== undefined && messageId === answer?.messageId);
  return (
    <div className="view">
      <h1>Send an event</h1>
      <p className="lead">
        It goes to the router's <code>POST /v1/{endpoint}</code>, as it would from a Segment library.
      </p>
      <fieldset className="samples">
        <legend>Start from a sample</legend>
        {samples.map((sample) => (
          <button type="button" key={sample.title} onClick={() => take(sample)}>
            {sample.title}
          </button>
        ))}
      </fieldset>
      <div className="fields">
        <label htmlFor={ids.source}>
          Source (write key)
          <select id={ids.source} value={source} onChange={(event) => setSource(event.target.value)}>
            {sources.map(({ id }) => (
              <option key={id}>{id}</option>
            ))}
          </select>
        </label>
        <label htmlFor={ids.endpoint}>
          Call
          <select id={ids.endpoint} value={endpoint} onChange={(event) => setEndpoint(event.target.value)}>
            {[...callTypes, "batch"].map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
      </div>
      <label htmlFor={ids.body}>Body</label>
      <textarea
        id={ids.body}
        spellCheck={false}
        rows={18}
        value={text}
        aria-invalid={problem !== undefined}
        onChange={(event) => {
          setText(event.target.value);
          setAnswer(undefined);
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) void send();
        }}
      />
      {problem !== undefined && <p className="field-problem">{problem}</p>}
      <p className="tools">
        <button type="button" className="primary" disabled={problem !== undefined} onClick={() => void send()}>
          Send
        </button>
        <button type="button" disabled={problem !== undefined} onClick={() => setText(pretty(value))}>
          Format
        </button>
        <CopyButton label="Copy as curl" text={() => curlLine(location.origin, source, endpoint, value)} />
        <span className="note">Ctrl + Enter sends</span>
      </p>
      {answer && !answer.ok && (
        <p className="callout bad" role="status">
          The router refused it: {answer.text}
        </p>
      )}
      {answer?.ok && (
        <p className="callout" role="status">
          Accepted.{" "}
          {entry ? (
            <>
              <StateBadge state={entry.state} /> <a href={`#deliveries/${entry.id}`}>See what happened</a>
              {entry.problem && ` ${entry.problem}`}
            </>
          ) : (
            <a href="#deliveries">See what happens to it</a>
          )}
        </p>
      )}
    </div>
  );
}

function read(text: string): { value?: unknown; problem?: string } {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    return { problem: `This is not JSON: ${(error as Error).message}` };
  }
}
