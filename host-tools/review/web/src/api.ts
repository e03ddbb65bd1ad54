// The HTTP API of the host (docs/reference/http.md).

import type { Abstention, Clip, Evidence, Label, Mark, Summary } from "./model";
import type { Action, Outcome } from "./outbox";

const ANSWER_WITHIN_MS = 10_000;

/** The host answered, but not with what was asked for. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

async function get<T>(path: string): Promise<T> {
  const response = await fetch(path, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
  if (!response.ok) throw new ApiError(response.status, await whyNot(response));
  return (await response.json()) as T;
}

async function whyNot(response: Response): Promise<string> {
  try {
    const body = (await response.json()) as { error?: unknown };
    if (typeof body.error === "string") return body.error;
  } catch {
    // Not our JSON: a proxy in between, perhaps.
  }
  return `the host answered ${response.status}`;
}

export const summary = () => get<Summary>("/api/summary");

export const clips = () => get<Clip[]>("/api/clips");

export const events = (clip: string) =>
  get<Label[]>(`/api/labels?clip=${encodeURIComponent(clip)}&kind=blink,long-closure`);

export const label = (id: string) => get<Label>(`/api/labels/${encodeURIComponent(id)}`);

export const coverage = (clip: string) =>
  get<Abstention[]>(`/api/coverage?clip=${encodeURIComponent(clip)}&kind=blink`);

export const marks = (clip: string) => get<Mark[]>(`/api/marks?clip=${encodeURIComponent(clip)}`);

export const evidence = (label: string) => get<Evidence>(`/api/evidence/${encodeURIComponent(label)}.json`);

export async function filmstrip(label: string): Promise<Blob> {
  const path = `/api/evidence/${encodeURIComponent(label)}.jpg`;
  const response = await fetch(path, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
  if (!response.ok) throw new ApiError(response.status, await whyNot(response));
  return response.blob();
}

/** Sends a verdict or an undo. Never throws: what went wrong decides whether it is tried again. */
export async function send(action: Action): Promise<Outcome> {
  const label = `/api/labels/${encodeURIComponent(action.label)}`;
  const [path, body] =
    action.do === "verdict"
      ? [`${label}/verdicts`, { key: action.key, millis: action.millis, ...action.verdict }]
      : [`${label}/undo`, { key: action.key }];
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    if (response.ok) return { is: "saved", label: (await response.json()) as Label };
    const why = await whyNot(response);
    const passing = response.status >= 500 || response.status === 408 || response.status === 429;
    return passing ? { is: "unreachable", why } : { is: "refused", why };
  } catch {
    return { is: "unreachable", why: "the host does not answer" };
  }
}

/** Calls `changed` at every commit, and `live` when the connection comes and goes. */
export function listen(changed: () => void, live: (connected: boolean) => void): void {
  const source = new EventSource("/api/events");
  source.addEventListener("open", () => {
    live(true);
    // What was committed while nobody listened.
    changed();
  });
  source.addEventListener("change", changed);
  source.addEventListener("error", () => {
    live(false);
    // The browser reconnects by itself unless the answer was an error.
    if (source.readyState === EventSource.CLOSED) {
      source.close();
      setTimeout(() => listen(changed, live), 3000);
    }
  });
}
