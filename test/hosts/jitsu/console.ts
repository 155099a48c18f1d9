import validator from "@rjsf/validator-ajv8";
import ts from "typescript";
import { z } from "zod";
import { zodToJsonSchema } from "zod-to-json-schema";
import { zodToJsonSchema as zodToJsonSchemaOld } from "zod-to-json-schema-old";
import { consoleForm } from "../../../src/hosts/jitsu/console-form";

// What Jitsu's console does with a destination's form, by the packages that it does it with.

export interface Form {
  readonly id: string;
  readonly credentials: z.ZodObject<z.ZodRawShape>;
  readonly credentialsUi: Readonly<
    Record<
      string,
      {
        displayName: string;
        password?: true;
        hidden?: true;
        advanced?: true;
        placeholder?: string;
        editor?: string;
      }
    >
  >;
}

/** What the console gets when it loads the file. */
export function loadForm(maxTimeoutMs?: number): Form {
  const { outputText } = ts.transpileModule(consoleForm("1.2.3", maxTimeoutMs), {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, jsx: ts.JsxEmit.React },
  });
  const exports: { amazonLambda?: Form } = {};
  const React = { createElement: (type: string) => type };
  new Function("require", "exports", "React", outputText)(() => ({ z }), exports, React);
  return exports.amazonLambda as Form;
}

/** What the console knows of every destination, and merges a destination's form into. */
export const DESTINATION = z.object({ id: z.string(), name: z.string() }).passthrough();

type Convert = (schema: z.ZodTypeAny) => object;

/** What the console of October 2024 has locked, and the newest. */
export const CONVERTERS: readonly (readonly [string, Convert])[] = [
  ["3.23.2", zodToJsonSchemaOld as Convert],
  ["newest", zodToJsonSchema as Convert],
];

export interface JsonSchema {
  readonly properties: Readonly<Record<string, object>>;
  readonly required?: readonly string[];
}

/** The JSON Schema that the console renders the form from and checks in the browser. */
export function jsonSchemaOf(form: Form, convert: Convert): JsonSchema {
  return convert(DESTINATION.merge(form.credentials)) as JsonSchema;
}

/** The errors that the browser shows. */
export function checkInBrowser(schema: JsonSchema, value: Readonly<Record<string, unknown>>): string[] {
  const { errors } = validator.validateFormData({ id: "d", name: "My Lambda", ...value }, schema as object);
  return errors.map(({ stack }) => stack);
}
