import Form from "@rjsf/core";
import validator from "@rjsf/validator-ajv8";
import { amazonLambda } from "jitsu-console-form";
import { createElement } from "react";
import { createRoot } from "react-dom/client";
import { z } from "zod";
import { zodToJsonSchema } from "zod-to-json-schema";
import { zodToJsonSchema as zodToJsonSchemaOld } from "zod-to-json-schema-old";

declare global {
  interface Window {
    /** Shows the form as Jitsu's console does. */
    show(converter: "3.23.2" | "newest", destination: object): void;
    /** What was saved last. */
    saved?: unknown;
    /** What the console's server stores of it, or why it refuses it. */
    store(destination: unknown): { stored?: unknown; refused?: readonly string[] };
  }
}

const DESTINATION = z
  .object({ id: z.string(), name: z.string(), cloneId: z.string().optional() })
  .passthrough()
  .merge(amazonLambda.credentials);
const CONVERTERS = { "3.23.2": zodToJsonSchemaOld, newest: zodToJsonSchema };

const root = createRoot(document.body.appendChild(document.createElement("main")));

window.show = (converter, formData) => {
  const convert = CONVERTERS[converter] as (schema: unknown) => object;
  const ui = Object.entries(amazonLambda.credentialsUi).map(([key, { displayName, password, hidden, editor }]) => [
    key,
    {
      "ui:title": displayName,
      "ui:widget": hidden ? "hidden" : password ? "password" : editor ? "textarea" : undefined,
    },
  ]);
  root.render(
    createElement(Form, {
      key: JSON.stringify([converter, formData]),
      schema: convert(DESTINATION),
      uiSchema: Object.fromEntries(ui),
      validator,
      formData,
      liveValidate: true,
      omitExtraData: true,
      liveOmit: true,
      showErrorList: false,
      onSubmit: ({ formData: saved }) => {
        window.saved = JSON.parse(JSON.stringify(saved));
      },
    }),
  );
};

window.store = (destination) => {
  const { data, error } = DESTINATION.safeParse(destination);
  return error
    ? { refused: error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`) }
    : { stored: JSON.parse(JSON.stringify(data)) };
};
