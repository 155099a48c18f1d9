import { useEffect, useState } from "react";
import type { EntrySummary, StreamMessage } from "../local/page-server/protocol";
import { api } from "./api";

/** So many lines are shown at most, the newest. */
const MAX_ENTRIES = 1000;

export interface Entries {
  /** Newest first. */
  readonly list: readonly EntrySummary[];
  /** Whether the server is there. */
  readonly live: boolean;
}

/** What happens at the server, as it happens. */
export function useEntries(): Entries {
  const [entries, setEntries] = useState<Entries>({ list: [], live: false });
  useEffect(() => {
    let source: EventSource;
    let retry: ReturnType<typeof setTimeout> | undefined;
    const connect = () => {
      source = new EventSource(api.streamUrl);
      source.onmessage = ({ data }) => {
        const message = JSON.parse(data as string) as StreamMessage;
        setEntries(({ list }) => ({ live: true, list: afterMessage(list, message) }));
      };
      source.onerror = () => {
        setEntries(({ list }) => ({ live: false, list }));
        if (source.readyState !== EventSource.CLOSED) return;
        // Refused: the server that is there now is another one. A call tells, and loads the page anew.
        retry = setTimeout(() => void api.state().then(connect, connect), 1000);
      };
    };
    connect();
    return () => {
      source.close();
      clearTimeout(retry);
    };
  }, []);
  return entries;
}

function afterMessage(list: readonly EntrySummary[], message: StreamMessage): readonly EntrySummary[] {
  if (message.type === "cleared") return [];
  if (message.type === "entries") return message.entries.toReversed().slice(0, MAX_ENTRIES);
  const { entry } = message;
  const at = list.findIndex(({ id }) => id === entry.id);
  return at < 0 ? [entry, ...list].slice(0, MAX_ENTRIES) : list.with(at, entry);
}
