import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import type { EntryState, EntrySummary, PageState } from "../local/page-server/protocol";
import { api } from "./api";
import { Chart } from "./chart";
import { Detail } from "./detail";
import { clock, duration, STATES, searchText, titleOf } from "./format";
import { goTo } from "./route";
import { classOf, StateBadge } from "./state-badge";

interface Props {
  readonly entries: readonly EntrySummary[];
  readonly selected: number | undefined;
  readonly state: PageState | undefined;
}

const ORDER = Object.keys(STATES) as EntryState[];

/** The list of what happened, and beside it the line that is opened. */
export function Deliveries({ entries, selected, state }: Props) {
  const [search, setSearch] = useState("");
  const [only, setOnly] = useState<EntryState>();
  const [callType, setCallType] = useState("");
  const [fn, setFunction] = useState("");
  const searchField = useRef<HTMLInputElement>(null);
  const rows = useRef<HTMLUListElement>(null);

  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const found = entries.filter(
    (entry) =>
      (callType === "" || entry.callType === callType) &&
      (fn === "" || entry.function === fn) &&
      words.every((word) => searchText(entry).includes(word)),
  );
  const shown = found.filter((entry) => only === undefined || entry.state === only);
  const present = ORDER.filter((each) => each === only || found.some((entry) => entry.state === each));
  const callTypes = [...new Set(entries.flatMap((entry) => entry.callType ?? []))].sort();
  const functions = [...new Set(entries.flatMap((entry) => entry.function ?? []))].sort();

  useEffect(() => {
    const onKey = (event: globalThis.KeyboardEvent) => {
      const inField = event.target instanceof HTMLElement && event.target.matches("input, textarea, select");
      if (event.key === "/" && !inField) {
        event.preventDefault();
        searchField.current?.focus();
      }
      if (event.key === "Escape" && !inField) goTo({ view: "deliveries" });
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);

  /** Up and down through the list, as in a mail reader. */
  const move = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1 }[event.key];
    if (step === undefined) return;
    const links = [...(rows.current?.querySelectorAll("a") ?? [])];
    const to = links[links.indexOf(document.activeElement as HTMLAnchorElement) + step];
    if (!to) return;
    event.preventDefault();
    to.focus();
    if (selected !== undefined) to.click();
  };

  return (
    <div className={selected === undefined ? "deliveries" : "deliveries opened"}>
      <div className="overview">
        <h1 className="unseen">Deliveries</h1>
        <Chart entries={entries} />
        <div className="filters">
          <input
            ref={searchField}
            type="search"
            value={search}
            onChange={(event) => setSearch(event.target.value)}
            placeholder="Search event, user, message ID, error …  ( / )"
            aria-label="Search"
          />
          <select aria-label="Call type" value={callType} onChange={(event) => setCallType(event.target.value)}>
            <option value="">All call types</option>
            {callTypes.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
          <select aria-label="Function" value={fn} onChange={(event) => setFunction(event.target.value)}>
            <option value="">All functions</option>
            {functions.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
          <button type="button" onClick={() => void api.clear()} disabled={entries.length === 0}>
            Clear
          </button>
        </div>
        <fieldset className="chips">
          <legend className="unseen">Outcome</legend>
          <button type="button" aria-pressed={only === undefined} onClick={() => setOnly(undefined)}>
            All <b>{found.length}</b>
          </button>
          {present.map((each) => (
            <button
              type="button"
              key={each}
              className={classOf(each)}
              aria-pressed={only === each}
              onClick={() => setOnly(only === each ? undefined : each)}
            >
              {STATES[each].label} <b>{found.filter((entry) => entry.state === each).length}</b>
            </button>
          ))}
        </fieldset>
        {shown.length === 0 && <Nothing any={entries.length > 0} state={state} />}
        <ul className="rows" ref={rows} onKeyDown={move} aria-label="What happened, newest first">
          {shown.map((entry) => (
            <Row key={entry.id} entry={entry} selected={entry.id === selected} />
          ))}
        </ul>
      </div>
      {selected !== undefined && (
        <Detail key={selected} id={selected} summary={entries.find(({ id }) => id === selected)} />
      )}
    </div>
  );
}

function Row({ entry, selected }: { readonly entry: EntrySummary; readonly selected: boolean }) {
  const { id, state, at, callType, kind, function: fn, durationMs, tries, problem, replayOf, source } = entry;
  return (
    <li className={selected ? "selected" : undefined}>
      <a href={`#deliveries/${id}`} aria-current={selected ? "true" : undefined}>
        <StateBadge state={state} />
        <span className="what">
          <span className="kind">{kind === "delivery" ? callType : kind === "refusal" ? "request" : "invoke"}</span>
          <b>{titleOf(entry)}</b>
          {replayOf !== undefined && <span className="tag">replay</span>}
          {tries > 1 && <span className="tag">try {tries}</span>}
        </span>
        <span className="where">{fn ? `→ ${fn}` : (source ?? "")}</span>
        <span className="took">{duration(durationMs)}</span>
        <time dateTime={new Date(at).toISOString()}>{clock(at)}</time>
        {problem !== undefined && <span className="problem">{problem}</span>}
      </a>
    </li>
  );
}

function Nothing({ any, state }: { readonly any: boolean; readonly state: PageState | undefined }) {
  if (any) return <p className="nothing">Nothing matches. Change the search or the filters.</p>;
  const [writeKey = ""] = state?.sources.map(({ id }) => id) ?? [];
  return (
    <div className="nothing">
      <p>No events yet. Everything that the router accepts or refuses appears here.</p>
      <p>
        <a className="button" href="#send">
          Send an event
        </a>
      </p>
      <p>
        Or point a Segment library at <code>{location.origin}</code> with the write key <code>{writeKey}</code>.
      </p>
    </div>
  );
}
