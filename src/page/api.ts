import type {
  Applied,
  CheckLine,
  CheckRequest,
  EntryDetail,
  Exported,
  ExportRequest,
  Imported,
  PageState,
  Problems,
  SettingsRequest,
} from "../local/page-server/protocol";

const token = document.querySelector<HTMLMetaElement>('meta[name="page-token"]')?.content ?? "";

async function call(path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
  const response = await fetch(path, {
    headers: { "x-page-token": token, ...(body !== undefined && { "content-type": "application/json" }) },
    ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
    ...(signal && { signal }),
  });
  if (response.ok) return response;
  // Another start has another token, which the page brings along.
  if (response.status === 401) location.reload();
  const { error } = (await response.json().catch(() => ({}))) as { error?: string };
  throw new Error(error ?? `The server answered with ${response.status}.`);
}

async function json<T>(path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  return (await (await call(path, body, signal)).json()) as T;
}

/** The page's server. Every call rejects with an error that can be shown. */
export const api = {
  streamUrl: `/api/stream?token=${encodeURIComponent(token)}`,
  state: () => json<PageState>("/api/state"),
  entry: (id: number, signal: AbortSignal) => json<EntryDetail>(`/api/entry?id=${id}`, undefined, signal),
  clear: () => json<unknown>("/api/clear", {}),
  /** @param event in place of the one that the router took in */
  replay: (id: number, event?: unknown) => json<{ id: number }>("/api/replay", { id, event }),
  problems: (request: SettingsRequest, signal: AbortSignal) => json<Problems>("/api/problems", request, signal),
  apply: (request: SettingsRequest) => json<Applied>("/api/apply", request),
  exportSettings: (request: ExportRequest) => json<Exported>("/api/export", request),
  importSettings: (text: string) => json<Imported>("/api/import", { text }),

  async check(request: CheckRequest, onLine: (line: CheckLine) => void, signal: AbortSignal): Promise<void> {
    const { body } = await call("/api/check", request, signal);
    if (!body) return;
    const lines = body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value = "" } = await lines.read();
      const parts = (rest + value).split("\n");
      rest = parts.pop() ?? "";
      for (const part of parts) onLine(JSON.parse(part) as CheckLine);
      if (done) return;
    }
  },

  /** Sends an event to the router itself, as a Segment library does. @returns what the router answered */
  async send(writeKey: string, endpoint: string, body: unknown): Promise<{ ok: boolean; text: string }> {
    const response = await fetch(`/v1/${endpoint}`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Basic ${btoa(`${writeKey}:`)}` },
      body: JSON.stringify(body),
    });
    return { ok: response.ok, text: await response.text() };
  },
};
