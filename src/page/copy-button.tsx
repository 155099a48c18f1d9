import { useState } from "react";

/** Puts a text on the clipboard, and says so. */
export function CopyButton({ text, label = "Copy" }: { readonly text: () => string; readonly label?: string }) {
  const [said, setSaid] = useState<string>();
  const copy = () => {
    navigator.clipboard.writeText(text()).then(
      () => setSaid("Copied"),
      () => setSaid("Not allowed by the browser"),
    );
    setTimeout(() => setSaid(undefined), 2000);
  };
  return (
    <button type="button" onClick={copy}>
      <span aria-live="polite">{said ?? label}</span>
    </button>
  );
}
