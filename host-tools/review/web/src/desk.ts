// Quality, policy, fleet and live over the HTTP API (docs/reference/http.md).

import { useEffect, useState } from "preact/hooks";
import { notice, revision } from "./host";

const ANSWER_WITHIN_MS = 10_000;

export interface Share {
  value: number;
  low: number | null;
  high: number | null;
  effective: number | null;
}

export interface CurvePoint extends Share {
  confidence: number;
  judged: number;
}

export interface QualityRow {
  kind: string;
  model: string;
  rig?: string;
  glasses?: string;
  light?: string;
  distance?: string;
  offered: number;
  judged: number;
  accepted: number;
  corrected_right: number;
  corrected_wrong: number;
  rejected: number;
  cannot_tell: number;
  clips: number;
  precision: Share | null;
  floor: number;
  standing: "clears" | "below" | "cannot-tell";
  boundary_frames: number | null;
  calibration: { error: number; overpromise: number; curve: CurvePoint[] } | null;
}

export interface Coverage {
  kind: string;
  rig: string;
  value: number;
  silent: Record<string, number>;
}

export interface Seconds {
  kind: string;
  act: string;
  count: number;
  median: number;
  low: number | null;
  high: number | null;
  mean: number;
}

export interface Quality {
  rows: QualityRow[];
  coverage: Coverage[];
  seconds: Seconds[];
  behind: number;
  least: { clips: number; judged: number };
}

export interface Proposal {
  id: string;
  rig: string;
  kind: string;
  model: string;
  action: "demote" | "trial" | "restore" | "threshold";
  threshold: number | null;
  words: string;
}

export interface PolicyStep {
  step: number;
  at_us: number;
  rig: string;
  kind: string;
  word: string;
  threshold: number | null;
  decided_by: string;
  automatic: boolean;
  words: string;
}

export interface Standing {
  rig: string;
  kind: string;
  mode: "offered" | "withdrawn" | "trial";
  threshold: number | null;
  revertible: number | null;
}

export interface Rules {
  automatic: boolean;
  floor: number;
  floor_points: number;
  min_judged: number;
  min_clips: number;
  threshold_low: number;
  threshold_high: number;
  steps_a_day: number;
  trial_offers: number;
  rest_days: number;
}

export interface AskedPolicy {
  revision: number;
  kinds: { kind: string; mode: "offer" | "abstain"; threshold?: number }[];
}

export interface Policy {
  rules: Rules;
  proposals: Proposal[];
  standings: Standing[];
  rigs: { rig: string; asked: AskedPolicy; obeyed: number | null }[];
  steps: PolicyStep[];
}

export interface Calibration {
  at_us: number;
  decided_by: string;
  name: string;
  version: string;
  sha256: string;
  base: string | null;
  fitted: Record<string, { judged: number; clips: number; error_before: number; error_after: number }> | null;
}

export interface FleetRig {
  rig: string;
  site: string;
  link: string;
  last_seen_us: number;
  alarms: { name: string; words: string }[];
  hardware: string | null;
  firmware: string | null;
  board: string | null;
  models: { name: string; version: string; sha256: string }[];
  self_test: string | null;
  health: {
    heard_us: number;
    uptime_s: number;
    clock: string;
    temperature_c: number | null;
    throttled: boolean | null;
    disk_free_mib: number | null;
    latency_ms: number | null;
    shed: string;
    camera: { state: string; measured_fps: number; asked_fps: number } | null;
    outbox: { messages: number; bytes: number };
    quiet: { reason: string; share: number }[];
    scene: { light: number; contrast: number; noise: number; chroma: number; limit?: string } | null;
  } | null;
  policy: { asked: AskedPolicy; obeyed: number | null } | null;
  balance: {
    made: number;
    committed: number;
    clips: number;
    open_clips: number;
    sent: number;
    received: number;
    offered: number;
    reviewed: number;
    waiting: number;
    given_up: number;
    imbalance: { lost: number; beyond: number; hole: boolean };
    quarantined: number;
  };
}

export interface HealthPoint {
  heard_us: number;
  outbox_messages: number;
  temperature_c: number | null;
  latency_ms: number | null;
}

export interface Live {
  now_us: number;
  window_s: number;
  kinds: { rig: string; kind: string; offered: number; abstained: number; lag_s: number | null }[];
  latest: {
    id: string;
    clip: string;
    rig: string;
    kind: string;
    track: number | null;
    frames: [number, number];
    confidence: number | null;
    received_us: number;
    lag_s: number | null;
  }[];
}

async function answer<T>(response: Response): Promise<T> {
  if (response.ok) return (await response.json()) as T;
  let why = `the host answered ${response.status}`;
  try {
    const body = (await response.json()) as { error?: unknown };
    if (typeof body.error === "string") why = body.error;
  } catch {
    // Not our JSON: a proxy in between, perhaps.
  }
  throw new Error(why);
}

export async function get<T>(path: string): Promise<T> {
  return answer<T>(await fetch(path, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) }));
}

export async function post<T>(path: string, body: unknown): Promise<T> {
  return answer<T>(
    await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    }),
  );
}

export async function remove(path: string): Promise<void> {
  const response = await fetch(path, { method: "DELETE", signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
  if (!response.ok) await answer(response);
}

/** Says what went wrong where every view says such things. */
export function tell(error: unknown): void {
  notice.value = { text: error instanceof Error ? error.message : String(error), bad: true };
}

/** What the host says at this address, asked again at every change there, at most every `everyMs`. */
export function useAnswer<T>(path: string, everyMs = 1000): [T | null, (next: T) => void, string | null] {
  const [value, set] = useState<T | null>(null);
  const [trouble, setTrouble] = useState<string | null>(null);
  useEffect(() => {
    let over = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let asking = false;
    let again = false;
    const ask = async () => {
      if (asking) {
        again = true;
        return;
      }
      asking = true;
      try {
        const next = await get<T>(path);
        if (!over) {
          set(next);
          setTrouble(null);
        }
      } catch (error) {
        if (!over) setTrouble(error instanceof Error ? error.message : String(error));
      }
      if (over) return;
      timer = setTimeout(() => {
        asking = false;
        if (again) {
          again = false;
          void ask();
        }
      }, everyMs);
    };
    void ask();
    const forget = revision.subscribe(() => void ask());
    return () => {
      over = true;
      clearTimeout(timer);
      forget();
    };
  }, [path, everyMs]);
  return [value, set, trouble];
}

/** `3 min`: how long ago, for people. */
export function ago(us: number, now = Date.now() * 1000): string {
  const s = Math.max(0, Math.round((now - us) / 1e6));
  if (s < 120) return `${s} s ago`;
  if (s < 7200) return `${Math.round(s / 60)} min ago`;
  if (s < 172_800) return `${Math.round(s / 3600)} h ago`;
  return `${Math.round(s / 86_400)} days ago`;
}

export const STANDING_WORDS = {
  clears: "clears the line",
  below: "below the line",
  "cannot-tell": "cannot tell yet",
} as const;

export const STANDING_MARK = { clears: "✓", below: "✗", "cannot-tell": "?" } as const;
