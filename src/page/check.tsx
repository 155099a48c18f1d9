import { useEffect, useId, useRef, useState } from "react";
import type { CheckLine, CheckTarget, PageState } from "../local/page-server/protocol";
import { api } from "./api";
import { Log } from "./log";
import type { Drafts } from "./settings";

type Step = Extract<CheckLine, { step: unknown }>["step"];

const TITLES: Readonly<Record<Step["step"], string>> = {
  settings: "Settings",
  identity: "Base identity",
  role: "Role",
  trust: "Trust",
  session: "Session",
  function: "Function",
  send: "Sample event",
};

const TARGETS: Readonly<Record<CheckTarget, string>> = {
  local: "the AWS on this machine",
  aws: "the real AWS, as this terminal's identity",
};

interface Props {
  readonly state: PageState;
  readonly drafts: Drafts;
  onDelivery(): void;
}

/** Tests the connection step by step, with the settings as they stand in the form. */
export function Check({ state, drafts }: Props) {
  const ids = { target: useId(), source: useId() };
  const [target, setTarget] = useState<CheckTarget>("local");
  const [source, setSource] = useState(state.sources[0]?.id ?? "");
  const [sending, setSending] = useState(false);
  const [lines, setLines] = useState<readonly CheckLine[]>([]);
  const running = useRef<AbortController>(undefined);
  const [isRunning, setRunning] = useState(false);
  useEffect(() => () => running.current?.abort(), []);

  const run = async () => {
    running.current?.abort();
    const own = new AbortController();
    running.current = own;
    setLines([]);
    setRunning(true);
    const add = (line: CheckLine) => {
      if (!own.signal.aborted) setLines((before) => [...before, line]);
    };
    await api
      .check({ source, settings: drafts.of(source), target, send: sending }, add, own.signal)
      .catch((error: Error) => add({ broken: error.message }));
    if (!own.signal.aborted) setRunning(false);
  };

  const steps = lines.flatMap((line) => ("step" in line ? line.step : []));
  const failed = steps.filter(({ ok }) => !ok).length;
  const end = lines.at(-1);
  return (
    <div className="view">
      <h1>Check the connection</h1>
      <p className="lead">
        Settings, identity, role, external ID, session and each function, tested the way they will be used. Nothing is
        changed at AWS.
      </p>
      <div className="fields">
        <label htmlFor={ids.source}>
          Settings of
          <select id={ids.source} value={source} onChange={(event) => setSource(event.target.value)}>
            {state.sources.map(({ id }) => (
              <option key={id}>{id}</option>
            ))}
          </select>
        </label>
        <label htmlFor={ids.target}>
          Against
          <select id={ids.target} value={target} onChange={(event) => setTarget(event.target.value as CheckTarget)}>
            {state.checks.map((each) => (
              <option key={each} value={each}>
                {TARGETS[each]}
              </option>
            ))}
          </select>
        </label>
      </div>
      {!state.checks.includes("aws") && (
        <p className="note">
          To check against the real AWS, start with <code>npm start -- --aws</code>.
        </p>
      )}
      <p className="tools">
        <button type="button" className="primary" disabled={isRunning} onClick={() => void run()}>
          {isRunning ? "Checking …" : "Check"}
        </button>
        <label className="inline">
          <input type="checkbox" checked={sending} onChange={(event) => setSending(event.target.checked)} />
          Send a sample event to each function
        </label>
      </p>
      <ol className="steps" aria-live="polite">
        {steps.map((step, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a step is its place.
          <li key={i} className={step.ok ? "ok" : "not-ok"}>
            <span className="mark" aria-hidden="true">
              {step.ok ? "✓" : "✕"}
            </span>
            <div>
              <b>
                {TITLES[step.step]} {step.subject}
              </b>
              {!step.ok && <span className="unseen"> failed</span>}
              <p>{step.found}</p>
              {step.diagnosis && (
                <p className="callout bad">
                  <b>{step.diagnosis.label}.</b> {step.diagnosis.advice}
                </p>
              )}
              {step.note && <p className="note">{step.note}</p>}
              {step.result?.logTail && <Log runs={[logOf(step.result.logTail)]} />}
            </div>
          </li>
        ))}
      </ol>
      {end && "ok" in end && (
        <p className={end.ok ? "callout good" : "callout bad"} role="status">
          {end.ok ? "The connection works." : `${failed} of ${steps.length} steps failed.`}
        </p>
      )}
      {end && "broken" in end && (
        <p className="callout bad" role="alert">
          The check stopped early: {end.broken}
        </p>
      )}
    </div>
  );
}

function logOf(log: string) {
  return {
    requestId: "",
    startedAt: 0,
    durationMs: 0,
    version: "",
    arn: "",
    invocationType: "RequestResponse",
    attempt: 1,
    log,
    answer: "",
    failed: false,
  };
}
