import { useState } from "react";
import type { PageState } from "../local/page-server/protocol";
import { CopyButton } from "./copy-button";

/** A function to begin with, in each language that is run here. */
const STARTERS = {
  JavaScript: {
    extension: "mjs",
    text: `export const handler = async (event, context) => {
  console.log("got", event.type, event.messageId);
  return { stored: event.messageId };
};
`,
  },
  TypeScript: {
    extension: "ts",
    text: `interface SegmentEvent {
  type: string;
  messageId: string;
  userId?: string;
  properties?: Record<string, unknown>;
}

export const handler = async (event: SegmentEvent): Promise<object> => {
  console.log("got", event.type, event.messageId);
  return { stored: event.messageId };
};
`,
  },
  Python: {
    extension: "py",
    text: `def handler(event, context):
    print("got", event["type"], event["messageId"])
    return {"stored": event["messageId"]}
`,
  },
} as const;

const LANGUAGES = Object.keys(STARTERS) as (keyof typeof STARTERS)[];

/** Which functions there are, and how to write one. */
export function Functions({ state }: { readonly state: PageState }) {
  const { functions, folder, notes, callTypes, separator } = state;
  return (
    <div className="view">
      <h1>Functions</h1>
      <p className="lead">
        Each of these files is a Lambda function. Edit one and save it: the next event runs the new code, and so does{" "}
        <b>Replay</b> for an event in the list.
      </p>
      {notes.map((note) => (
        <p key={note} className="callout warn">
          {note}
        </p>
      ))}
      <ul className="files" aria-label="Functions">
        {functions.map(({ name, file }) => (
          <li key={name}>
            <b>{name}</b>
            <code>{file}</code>
            <span>{receives(name, callTypes)}</span>
          </li>
        ))}
      </ul>
      <Starter folder={folder} separator={separator} functions={functions} />
    </div>
  );
}

/** By the names that `start` gives a meaning to; what settings say beyond is on their own view. */
function receives(name: string, callTypes: PageState["callTypes"]): string {
  if (name === "lambda") return "every call type without a function of its own";
  if (callTypes.some((type) => type === name)) return `${name} calls`;
  return "what the settings send it";
}

function Starter({ folder, separator, functions }: Pick<PageState, "folder" | "separator" | "functions">) {
  const [language, setLanguage] = useState<keyof typeof STARTERS>("JavaScript");
  const { extension, text } = STARTERS[language];
  const taken = functions.find(({ name, file }) => name === "track" && !file.endsWith(`track.${extension}`));
  return (
    <section className="card">
      <h2>Write one</h2>
      <fieldset className="sides">
        <legend className="unseen">Language</legend>
        {LANGUAGES.map((each) => (
          <button type="button" key={each} aria-pressed={language === each} onClick={() => setLanguage(each)}>
            {each}
          </button>
        ))}
      </fieldset>
      <p>
        Save this as{" "}
        <code>
          {folder}
          {separator}track.{extension}
        </code>{" "}
        for track calls (likewise <code>identify.{extension}</code>, <code>page.{extension}</code> and so on), or as{" "}
        <code>lambda.{extension}</code> for every call type that has no file of its own.
        {taken && (
          <>
            {" "}
            Each function has one file: remove <code>{taken.file}</code> first.
          </>
        )}
      </p>
      <div className="part-head">
        <span />
        <CopyButton text={() => text} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard. */}
      <pre className="code" tabIndex={0}>
        {text}
      </pre>
      <p>
        Then <a href="#send">send an event</a>. With Max Batch Size above 1 in the <a href="#settings">settings</a>, a
        function gets an array of events.
      </p>
      <p>
        To use a folder of your own, stop with Ctrl-C and start again with <code>--functions &lt;folder&gt;</code> (in a
        checkout: <code>npm start -- --functions &lt;folder&gt;</code>).
      </p>
    </section>
  );
}
