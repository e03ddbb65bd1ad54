// The HTTP API of the host (docs/reference/http.md).

import { type Filter, queryOf } from "./filters";
import type { Abstention, Clip, Evidence, FrameRange, Kind, Label, Mark, OpennessCurve, Picture, Summary } from "./model";
import { type Action, nameOfCreated, type Outcome } from "./outbox";

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

let signedOut = () => {};

/** Whom to tell that the host does not know the visitor, or no longer. */
export function whenSignedOut(tell: () => void): void {
  signedOut = tell;
}

async function ask(path: string, how: RequestInit = {}): Promise<Response> {
  const response = await fetch(path, { ...how, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
  if (response.status === 401) signedOut();
  if (!response.ok) throw new ApiError(response.status, await whyNot(response));
  return response;
}

async function get<T>(path: string): Promise<T> {
  return (await (await ask(path)).json()) as T;
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

const name = encodeURIComponent;

/** Who the visitor is. */
export interface Account {
  /** Nobody has an account here, so nobody is asked. */
  open: boolean;
  /** null until signed in. */
  user: string | null;
  role: "reviewer" | "lead" | "administrator" | null;
}

export const whoAmI = () => get<Account>("api/session");

export async function signIn(user: string, password: string): Promise<Account> {
  const body = JSON.stringify({ name: user, password });
  const headers = { "Content-Type": "application/json" };
  return (await (await ask("api/session", { method: "POST", headers, body })).json()) as Account;
}

export const signOut = () => ask("api/session", { method: "DELETE" });

/** Somebody works on a label. */
export interface Lease {
  item: string;
  holder: string;
}

export const leases = () => get<Lease[]>("api/leases");

/** Takes or renews a label; whoever holds it, which is another where they were first. */
export const take = async (label: string) =>
  (await (await ask(`api/leases/${name(label)}`, { method: "POST" })).json()) as Lease;

export const giveBack = (label: string) => ask(`api/leases/${name(label)}`, { method: "DELETE", keepalive: true });

/** Something that a rig was asked for: recorded frames, or a picture now. */
export interface Asked {
  request: number;
  rig: string;
  clip: string | null;
  /** null of a picture. */
  frames: FrameRange | null;
  label: string | null;
  asked_by: string;
  asked_us: number;
  state: "asked" | "arriving" | "here" | "refused";
  reason: string | null;
  have: number;
  bytes: number | null;
  pictures: { frame: number; pts_us: number }[];
}

/** What was asked for at this address, the latest first. */
export const asked = (path: string) => get<Asked[]>(path);

/** Asks for it. */
export const want = async (path: string) => (await (await ask(path, { method: "POST" })).json()) as Asked;

export const summary = () => get<Summary>("api/summary");

export const clips = () => get<Clip[]>("api/clips");

export interface Listed {
  labels: Label[];
  /** How many the filter finds, listed or not. */
  total: number;
}

/** The queue: the first so many labels that the filter finds. */
export async function labels(filter: Filter, limit: number): Promise<Listed> {
  const response = await ask(`api/labels?${queryOf(filter, limit)}`);
  const found = (await response.json()) as Label[];
  const total = Number(response.headers.get("x-total-count") ?? Number.NaN);
  return { labels: found, total: Number.isInteger(total) ? total : found.length };
}

/** Labels of some kinds of one clip, whatever the queue shows. */
export const labelsOfClip = (clip: string, kinds: readonly Kind[]) =>
  get<Label[]>(`api/labels?clip=${name(clip)}&kind=${kinds.join(",")}`);

export const label = (id: string) => get<Label>(`api/labels/${name(id)}`);

export const coverage = (clip: string) => get<Abstention[]>(`api/coverage?clip=${name(clip)}`);

export const marks = (clip: string) => get<Mark[]>(`api/marks?clip=${name(clip)}`);

export const pictures = (clip: string) => get<Picture[]>(`api/pictures?clip=${name(clip)}`);

export const picture = async (id: string) => (await ask(`api/pictures/${name(id)}.jpg`)).blob();

export const curve = (clip: string, track: number, [first, last]: FrameRange) =>
  get<OpennessCurve>(`api/curve?clip=${name(clip)}&track=${track}&frames=${first},${last}`);

export const evidence = (label: string) => get<Evidence>(`api/evidence/${name(label)}.json`);

export const filmstrip = async (label: string) => (await ask(`api/evidence/${name(label)}.jpg`)).blob();

/** The front door as the host serves it now: it names the page's script by its content. */
export const frontDoor = async () => (await ask(".")).text();

/** Sends what was decided. Never throws: what went wrong decides whether it is tried again. */
export async function send(action: Action): Promise<Outcome> {
  const [path, body] = request(action);
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ ...body, key: action.key }),
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    if (response.ok) return saved(action, await response.json());
    const why = await whyNot(response);
    if (response.status === 401) signedOut();
    // Whoever signs in again sends it again.
    const passing = response.status >= 500 || [401, 408, 429].includes(response.status);
    return passing ? { is: "unreachable", why } : { is: "refused", why };
  } catch {
    return { is: "unreachable", why: "the host does not answer" };
  }
}

function request(action: Action): [path: string, body: Record<string, unknown>] {
  switch (action.do) {
    case "verdict":
      return [`api/labels/${name(action.label)}/verdicts`, { millis: action.millis, ...action.verdict }];
    case "undo":
    case "redo":
      return [`api/labels/${name(action.label)}/${action.do}`, {}];
    case "bulk":
      return ["api/verdicts", { labels: action.labels, millis: action.millis, ...action.verdict }];
    case "undo-bulk":
      return [`api/verdicts/${name(action.batch)}/undo`, {}];
    case "redo-bulk":
      return [`api/verdicts/${name(action.batch)}/redo`, {}];
    case "create": {
      const { kind, track, frames, value, millis } = action;
      return [`api/clips/${name(action.clip)}/labels`, { kind, ...(track === null ? {} : { track }), frames, value, millis }];
    }
    case "tracks":
      return [`api/clips/${name(action.clip)}/tracks`, { ...action.edit, millis: action.millis }];
    case "undo-tracks":
    case "redo-tracks":
      return [`api/clips/${name(action.clip)}/tracks/${action.do === "undo-tracks" ? "undo" : "redo"}`, {}];
  }
}

function saved(action: Action, answer: unknown): Outcome {
  switch (action.do) {
    case "verdict":
    case "undo":
    case "redo":
      return { is: "saved", labels: [answer as Label] };
    case "bulk": {
      const { batch, labels } = answer as { batch: string | number; labels: Label[] };
      return { is: "saved", labels, renames: { from: action.key, to: `${batch}` } };
    }
    case "undo-bulk":
    case "redo-bulk":
      return { is: "saved", labels: (answer as { labels?: Label[] }).labels ?? [] };
    case "create": {
      const label = answer as Label;
      return { is: "saved", labels: [label], renames: { from: nameOfCreated(action.key), to: label.id } };
    }
    default:
      return { is: "saved", labels: [] };
  }
}

/** Calls `changed` at every commit, and `live` when the connection comes and goes. */
export function listen(changed: () => void, live: (connected: boolean) => void): void {
  const source = new EventSource("api/events");
  source.addEventListener("open", () => {
    live(true);
    // What was committed while nobody listened.
    changed();
  });
  source.addEventListener("change", changed);
  // A page that is kept for the back button would hold its connection, of which a browser gives a host only six.
  window.addEventListener("pagehide", () => source.close(), { once: true });
  source.addEventListener("error", () => {
    live(false);
    // The browser reconnects by itself unless the answer was an error.
    if (source.readyState === EventSource.CLOSED) {
      setTimeout(() => listen(changed, live), 3000);
    }
  });
}
