import { useEffect, useState } from "react";
import type { PageState } from "../local/page-server/protocol";
import { api } from "./api";
import { Check } from "./check";
import { Composer } from "./composer";
import { Deliveries } from "./deliveries";
import { useEntries } from "./entries";
import { Functions } from "./functions";
import { goTo, useRoute, VIEWS, type View } from "./route";
import { SettingsPage, useDrafts } from "./settings";
import { ThemeButton } from "./theme";

const TITLES: Readonly<Record<View, string>> = {
  deliveries: "Deliveries",
  functions: "Functions",
  send: "Send",
  settings: "Settings",
  check: "Check",
};

export function App() {
  const route = useRoute();
  const entries = useEntries();
  const [state, setState] = useState<PageState>();
  const [problem, setProblem] = useState<string>();
  const drafts = useDrafts(state);

  // The folder of the functions may have changed since another view was open, or another window.
  // biome-ignore lint/correctness/useExhaustiveDependencies: each view begins with what is so now.
  useEffect(() => {
    const load = () => void api.state().then(setState, (error: Error) => setProblem(error.message));
    load();
    addEventListener("focus", load);
    return () => removeEventListener("focus", load);
  }, [route.view]);

  return (
    <>
      <header className="top">
        <a className="brand" href="#deliveries">
          <img src="/icon.svg" alt="" width="26" height="26" />
          <span>Amazon Lambda destination</span>
        </a>
        <nav aria-label="Views">
          {VIEWS.map((view) => (
            <a key={view} href={`#${view}`} aria-current={route.view === view ? "page" : undefined}>
              {TITLES[view]}
            </a>
          ))}
        </nav>
        <div className="top-right">
          <span className={entries.live ? "live" : "live off"} role="status">
            {entries.live ? "Live" : "Not connected"}
          </span>
          <ThemeButton />
        </div>
      </header>
      {problem !== undefined && (
        <p className="callout bad" role="alert">
          {problem}
        </p>
      )}
      <main>
        {route.view === "deliveries" && <Deliveries entries={entries.list} selected={route.entry} state={state} />}
        {state && route.view === "functions" && <Functions state={state} />}
        {state && route.view === "send" && <Composer state={state} entries={entries.list} />}
        {state && route.view === "settings" && (
          <SettingsPage state={state} drafts={drafts} onApplied={() => void api.state().then(setState)} />
        )}
        {state && route.view === "check" && (
          <Check state={state} drafts={drafts} onDelivery={() => goTo({ view: "deliveries" })} />
        )}
      </main>
      {state && (
        <footer>
          <span>
            Router as <b>{state.host}</b>
          </span>
          <span>
            AWS on this machine <code>{state.awsUrl}</code>, account {state.account}, {state.region}
          </span>
          <span>
            Functions in <code>{state.folder}</code>
          </span>
          <span>Version {state.version}</span>
        </footer>
      )}
    </>
  );
}
