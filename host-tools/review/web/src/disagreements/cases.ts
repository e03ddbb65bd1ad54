// Disagreements that leads decide: what each side said, without names until it is decided.

import { computed, effect, signal } from "@preact/signals";
import { account } from "../account";
import { newKey } from "../delivery";
import { get, post, tell } from "../desk";
import { revision } from "../host";
import type { FrameRange, Kind, Value } from "../model";
import { Stopwatch } from "../stopwatch";

export interface Side {
  says: "here" | "not" | "nothing" | "cannot-tell";
  frames: FrameRange | null;
  value: Value | null;
  reviewer: string | null;
}

export interface Case {
  label: string;
  clip: string;
  kind: Kind;
  track: number | null;
  frames: FrameRange;
  state: "second" | "lead" | "settled" | "decided" | "void";
  decidable: boolean;
  has_evidence: boolean;
  sides: readonly Side[];
  decision: { choice: string; reviewer: string; at_us: number; replaced: number | null } | null;
}

export const cases = signal<readonly Case[]>([]);
export const told = signal(false);
const chosen = signal<string | null>(null);
/** The last that was decided here: what undo takes back. */
export const lastDecided = signal<string | null>(null);

export const open = computed(() => cases.value.filter((one) => one.decidable));
export const waitingForSecond = computed(() => cases.value.filter((one) => one.state === "second" && !one.decidable).length);
export const decided = computed(() => cases.value.filter((one) => one.decision !== null));
export const current = computed(() => open.value.find((one) => one.label === chosen.value) ?? open.value[0] ?? null);

const stopwatch = new Stopwatch(() => performance.now());

export const isLead = computed(() => account.value?.role === "lead" || account.value?.role === "administrator");

/** A busy desk changes all the time: what waits is asked for so often at most. */
const BETWEEN_MS = 2000;

/** Begins to follow what is to be decided, where the visitor decides. */
export function followCases(): void {
  let asking = false;
  let again = false;
  const ask = async () => {
    if (asking) {
      again = true;
      return;
    }
    asking = true;
    try {
      cases.value = await get<Case[]>("api/disagreements");
      told.value = true;
    } catch {
      // The host is away, which is said elsewhere.
    }
    setTimeout(() => {
      asking = false;
      if (!again) return;
      again = false;
      void ask();
    }, BETWEEN_MS);
  };
  effect(() => {
    if (revision.value >= 0 && isLead.value) void ask();
  });
  effect(() => {
    void current.value?.label;
    stopwatch.restart();
  });
}

export function move(step: 1 | -1): void {
  const at = open.value.findIndex((one) => one.label === current.value?.label);
  const next = open.value[Math.min(Math.max(at + step, 0), open.value.length - 1)];
  if (next !== undefined) chosen.value = next.label;
}

/** Whose word stands; null: nobody can tell. */
export async function decide(side: number | null): Promise<void> {
  const one = current.value;
  if (one === null || (side !== null && side >= one.sides.length)) return;
  try {
    const path = `api/disagreements/${encodeURIComponent(one.label)}/decision`;
    cases.value = await post<Case[]>(path, { side, millis: stopwatch.elapsed(), key: newKey() });
    lastDecided.value = one.label;
  } catch (error) {
    tell(error);
  }
}

export async function undo(label: string | null = lastDecided.value): Promise<void> {
  if (label === null) return;
  try {
    cases.value = await post<Case[]>(`api/disagreements/${encodeURIComponent(label)}/undo`, { key: newKey() });
    chosen.value = label;
    lastDecided.value = null;
  } catch (error) {
    tell(error);
  }
}
