import type { EntryState } from "../local/page-server/protocol";
import { STATES } from "./format";

export function classOf(state: EntryState): string {
  return `state ${state.replace(" ", "-")}`;
}

export function StateBadge({ state }: { readonly state: EntryState }) {
  const { label, mark } = STATES[state];
  return (
    <span className={classOf(state)}>
      <span aria-hidden="true" className="mark">
        {mark}
      </span>
      {label}
    </span>
  );
}
