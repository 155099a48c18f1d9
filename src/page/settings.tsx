// The package's root would bring along what its tests need.
import Form from "@rjsf/core";
import type { FieldTemplateProps, ObjectFieldTemplateProps, UiSchema, ValidatorType } from "@rjsf/utils";
import { useEffect, useId, useMemo, useState } from "react";
import type { Exported, ExportFormat, Imported, PageState, Problems } from "../local/page-server/protocol";
import { api } from "./api";
import { CopyButton } from "./copy-button";
import { MapField } from "./map-field";

type Settings = Readonly<Record<string, unknown>>;

/** The settings of each source as they stand in the form, applied or not. */
export interface Drafts {
  of(source: string): Settings;
  set(source: string, settings: Settings): void;
}

export function useDrafts(state: PageState | undefined): Drafts {
  const [drafts, setDrafts] = useState<Readonly<Record<string, Settings>>>({});
  return {
    of: (source) => drafts[source] ?? state?.sources.find(({ id }) => id === source)?.settings ?? {},
    set: (source, settings) => setDrafts((before) => ({ ...before, [source]: settings })),
  };
}

/** What is right is asked of the server, whose validator is the destination's own: here everything is. */
const ANYTHING: ValidatorType = {
  validateFormData: () => ({ errors: [], errorSchema: {} }),
  toErrorList: () => [],
  isValid: () => true,
  rawValidation: <Result,>() => ({ errors: [] as Result[] }),
};

interface Layout {
  readonly groups: PageState["form"]["groups"];
  readonly problems: Problems["problems"];
}

interface Props {
  readonly state: PageState;
  readonly drafts: Drafts;
  onApplied(): void;
}

/** The form as a user of a host sees it, and what can be done with what is filled in. */
export function SettingsPage({ state, drafts, onApplied }: Props) {
  const { form, sources } = state;
  const ids = { source: useId() };
  const [source, setSource] = useState(sources[0]?.id ?? "");
  const [problems, setProblems] = useState<Problems["problems"]>([]);
  const [applied, setApplied] = useState<readonly string[]>();
  const [failure, setFailure] = useState<string>();
  const settings = drafts.of(source);

  useEffect(() => {
    const gone = new AbortController();
    const wait = setTimeout(() => {
      api.problems({ source, settings }, gone.signal).then(
        (answer) => setProblems(answer.problems),
        (error: Error) => {
          if (!gone.signal.aborted) setFailure(error.message);
        },
      );
    }, 200);
    return () => {
      clearTimeout(wait);
      gone.abort();
    };
  }, [source, settings]);

  const change = (changed: Settings) => {
    drafts.set(source, changed);
    setApplied(undefined);
    setFailure(undefined);
  };
  const apply = async () => {
    try {
      const answer = await api.apply({ source, settings });
      setProblems(answer.problems);
      if (answer.settings) drafts.set(source, answer.settings);
      setApplied(answer.problems.length === 0 ? answer.notes : undefined);
      onApplied();
    } catch (error) {
      setFailure((error as Error).message);
    }
  };

  const uiSchema = useMemo(() => uiSchemaOf(form), [form]);
  const layout: Layout = { groups: form.groups, problems };
  const known = new Set(Object.keys(Object(form.schema["properties"])));
  const elsewhere = problems.filter(({ setting }) => !known.has(setting.split(".")[0] ?? ""));

  return (
    <div className="view settings">
      <div className="settings-form">
        <h1>Settings</h1>
        <p className="lead">
          The form as a host shows it. When you apply it, the router and the AWS account on this machine follow:
          functions, role and external ID.
        </p>
        <div className="fields">
          <label htmlFor={ids.source}>
            Destination of the source
            <select
              id={ids.source}
              value={source}
              onChange={(event) => {
                setSource(event.target.value);
                setApplied(undefined);
              }}
            >
              {sources.map(({ id }) => (
                <option key={id}>{id}</option>
              ))}
            </select>
          </label>
        </div>
        <Form
          key={source}
          schema={form.schema}
          uiSchema={uiSchema}
          formData={settings}
          formContext={layout}
          validator={ANYTHING}
          noHtml5Validate
          noValidate
          idPrefix="setting"
          templates={{ FieldTemplate: Field, ObjectFieldTemplate: Groups }}
          fields={{ map: MapField }}
          onChange={({ formData = {} }) => change(formData as Settings)}
          onSubmit={() => void apply()}
        >
          <div className="apply">
            {elsewhere.map(({ setting, problem }) => (
              <p key={setting} className="field-problem">
                {setting} {problem}
              </p>
            ))}
            {failure !== undefined && (
              <p className="callout bad" role="alert">
                {failure}
              </p>
            )}
            {applied && (
              <div className={applied.length > 0 ? "callout warn" : "callout good"} role="status">
                <p>Applied. The next event from {source} uses these settings.</p>
                {applied.map((note) => (
                  <p key={note}>{note}</p>
                ))}
              </div>
            )}
            <button type="submit" className="primary" disabled={problems.length > 0}>
              Apply
            </button>
            {problems.length > 0 && <span className="note">{countOf(problems.length)} to fix</span>}
          </div>
        </Form>
      </div>
      <aside>
        <Export source={source} settings={settings} />
        <Import
          onSettings={(imported) => {
            change(imported);
          }}
        />
      </aside>
    </div>
  );
}

function countOf(problems: number): string {
  return problems === 1 ? "1 setting" : `${problems} settings`;
}

function uiSchemaOf({ schema, examples, secrets, functions }: PageState["form"]): UiSchema {
  const properties = Object.entries(Object(schema["properties"]) as Record<string, { type?: string }>);
  return Object.fromEntries(
    properties.map(([key, { type }]) => [
      key,
      {
        "ui:placeholder": examples[key] ?? "",
        ...(secrets.includes(key) && { "ui:widget": "password", "ui:autocomplete": "off" }),
        ...(functions.includes(key) && { "ui:classNames": "function" }),
        ...(type === "object" && { "ui:field": "map" }),
      },
    ]),
  );
}

/** A setting: label, field, help, and what is wrong with it in the words of the schema. */
function Field({ id, label, children, rawDescription, registry, classNames, schema, hidden }: FieldTemplateProps) {
  const { problems } = registry.formContext as Layout;
  const key = id.replace(/^setting_/, "");
  if (id === "setting" || hidden) return children;
  const mine = problems.filter(({ setting }) => setting === key || setting.startsWith(`${key}.`));
  return (
    <div className={`field ${classNames ?? ""} ${mine.length > 0 ? "wrong" : ""}`}>
      {schema.type === "object" ? <span className="field-label">{label}</span> : <label htmlFor={id}>{label}</label>}
      {children}
      {mine.map(({ setting, problem, example }) => (
        <p key={setting} className="field-problem" role="alert">
          {setting === key ? label : setting} {problem}
          {example ? `, for example ${example}` : ""}
        </p>
      ))}
      {rawDescription && <p className="help">{rawDescription}</p>}
    </div>
  );
}

function Groups({ properties, registry }: ObjectFieldTemplateProps) {
  const { groups } = registry.formContext as Layout;
  return groups.map(({ title, help, fields }) => (
    <fieldset key={title} className="group">
      <legend>{title}</legend>
      <p className="help">{help}</p>
      {fields.map((field) => properties.find(({ name }) => name === field)?.content)}
    </fieldset>
  ));
}

const FORMATS: Readonly<Record<ExportFormat, string>> = {
  settings: "settings.json",
  rudderstack: "RudderStack workspaceConfig.json",
  jitsu: "Jitsu variables",
  cloudformation: "CloudFormation",
};

function Export({ source, settings }: { readonly source: string; readonly settings: Settings }) {
  const ids = { format: useId(), principal: useId() };
  const [format, setFormat] = useState<ExportFormat>("settings");
  const [principal, setPrincipal] = useState("");
  const [made, setMade] = useState<Exported>();
  const [failure, setFailure] = useState<string>();
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was made belongs to what it was made from.
  useEffect(() => setMade(undefined), [source, settings, format, principal]);

  const make = () => {
    setFailure(undefined);
    api
      .exportSettings({ source, settings, format, ...(principal !== "" && { principal }) })
      .then(setMade, (error: Error) => setFailure(error.message));
  };
  return (
    <section className="card">
      <h2>Export</h2>
      <label htmlFor={ids.format}>
        As
        <select id={ids.format} value={format} onChange={(event) => setFormat(event.target.value as ExportFormat)}>
          {Object.entries(FORMATS).map(([key, label]) => (
            <option key={key} value={key}>
              {label}
            </option>
          ))}
        </select>
      </label>
      {format === "cloudformation" && (
        <label htmlFor={ids.principal}>
          Whom the role trusts
          <input
            id={ids.principal}
            value={principal}
            placeholder="arn:aws:iam::111122223333:role/router"
            onChange={(event) => setPrincipal(event.target.value)}
          />
        </label>
      )}
      <p className="tools">
        <button type="button" onClick={make}>
          Export
        </button>
        {made?.text !== undefined && <CopyButton text={() => made.text ?? ""} />}
        {made?.text !== undefined && (
          <button type="button" onClick={() => download(made.filename ?? "settings.json", made.text ?? "")}>
            Download
          </button>
        )}
      </p>
      {failure !== undefined && (
        <p className="field-problem" role="alert">
          {failure}
        </p>
      )}
      {made?.problems.map(({ setting, problem }) => (
        <p key={setting} className="field-problem" role="alert">
          {setting} {problem}
        </p>
      ))}
      {made?.notes.map((note) => (
        <p key={note} className="note">
          {note}
        </p>
      ))}
      {made?.text !== undefined && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard.
        <pre className="code" tabIndex={0}>
          {made.text}
        </pre>
      )}
    </section>
  );
}

function download(filename: string, text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  link.download = filename;
  link.click();
  URL.revokeObjectURL(link.href);
}

function Import({ onSettings }: { onSettings(settings: Settings): void }) {
  const ids = { text: useId(), file: useId() };
  const [text, setText] = useState("");
  const [answer, setAnswer] = useState<Imported>();
  const read = (json: string) => {
    api.importSettings(json).then(
      (imported) => {
        setAnswer(imported);
        if (!imported.settings) return;
        onSettings(imported.settings);
        setText("");
      },
      (error: Error) => setAnswer({ notes: [], problems: [{ setting: "", problem: error.message }] }),
    );
  };
  return (
    <section className="card">
      <h2>Import</h2>
      <p className="help">
        A <code>settings.json</code>, or the settings of Segment's Amazon Lambda or of RudderStack's native LAMBDA
        destination.
      </p>
      <label htmlFor={ids.file}>
        File
        <input
          id={ids.file}
          type="file"
          accept=".json,application/json"
          onChange={(event) => {
            const [file] = event.target.files ?? [];
            if (file) void file.text().then(read);
          }}
        />
      </label>
      <label htmlFor={ids.text}>
        Or paste it
        <textarea
          id={ids.text}
          rows={5}
          spellCheck={false}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      </label>
      <p className="tools">
        <button type="button" disabled={text.trim() === ""} onClick={() => read(text)}>
          Import
        </button>
      </p>
      {answer && (
        <div className={answer.settings ? "callout good" : "callout bad"} role="status">
          {answer.settings && <p>The form now holds the {answer.from}. Review it, then apply.</p>}
          {!answer.settings && answer.problems.map(({ problem }) => <p key={problem}>{problem}</p>)}
          {answer.notes.map((note) => (
            <p key={note}>{note}</p>
          ))}
        </div>
      )}
    </section>
  );
}
