import { useSyncExternalStore } from "react";

export const VIEWS = ["deliveries", "functions", "send", "settings", "check"] as const;
export type View = (typeof VIEWS)[number];

/** Where the page is, by its address: `#deliveries/12` is the list with the line of that ID opened. */
export interface Route {
  readonly view: View;
  readonly entry?: number;
}

export function useRoute(): Route {
  const hash = useSyncExternalStore(subscribe, () => location.hash);
  const [view, entry] = hash.replace(/^#\/?/, "").split("/");
  return {
    view: VIEWS.find((each) => each === view) ?? "deliveries",
    ...(entry && /^\d+$/.test(entry) && { entry: Number(entry) }),
  };
}

export function goTo({ view, entry }: Route): void {
  location.hash = entry === undefined ? view : `${view}/${entry}`;
}

function subscribe(callback: () => void): () => void {
  addEventListener("hashchange", callback);
  return () => removeEventListener("hashchange", callback);
}
