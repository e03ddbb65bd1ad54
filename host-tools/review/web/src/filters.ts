// Which labels are in the queue, and in which order: the query that the host answers.

import { CONDITIONS, type Condition, type Kind, KINDS, LABEL_STATES, type LabelState } from "./model";

export const ORDERS = ["time", "doubt", "minutes"] as const;
export type Order = (typeof ORDERS)[number];

export interface Filter {
  rig: string | null;
  clip: string | null;
  /** Empty: all of them. */
  kinds: readonly Kind[];
  state: LabelState | null;
  /** Confidence in percent. */
  least: number | null;
  most: number | null;
  /** `name@version`. */
  model: string | null;
  condition: Condition | null;
  order: Order;
}

export const EVERYTHING: Filter = {
  rig: null,
  clip: null,
  kinds: [],
  state: null,
  least: null,
  most: null,
  model: null,
  condition: null,
  order: "time",
};

export const ORDER_TEXT: Record<Order, string> = {
  time: "in time",
  doubt: "least certain first",
  minutes: "most gained a minute first",
};

/** The query of `api/labels`. */
export function queryOf(filter: Filter, limit: number): string {
  const query = new URLSearchParams();
  const set = (name: string, value: string | number | null) => {
    if (value !== null) query.set(name, `${value}`);
  };
  set("rig", filter.rig);
  set("clip", filter.clip);
  set("kind", filter.kinds.length === 0 ? null : filter.kinds.join(","));
  set("state", filter.state);
  set("confidence_min", filter.least === null ? null : filter.least / 100);
  set("confidence_max", filter.most === null ? null : filter.most / 100);
  set("model", filter.model);
  set("condition", filter.condition);
  set("order", filter.order === "time" ? null : filter.order);
  set("limit", limit);
  return query.toString();
}

/** What the filter asks for beyond a clip and an order, in words; empty where nothing. */
export function narrowing(filter: Filter): string[] {
  const said: string[] = [];
  if (filter.state !== null) said.push(filter.state);
  if (filter.least !== null || filter.most !== null) said.push(`${filter.least ?? 0}–${filter.most ?? 100} % sure`);
  if (filter.model !== null) said.push(filter.model.replace("@", " "));
  if (filter.condition !== null) said.push(filter.condition.replace("-", " "));
  return said;
}

/** A filter that was kept as text; what is not understood is left out. */
export function restoredFilter(text: string | null): Filter {
  if (text === null) return EVERYTHING;
  try {
    const kept = JSON.parse(text) as Partial<Record<keyof Filter, unknown>>;
    const one = <T extends string>(value: unknown, of: readonly T[]) => of.find((known) => known === value) ?? null;
    const string = (value: unknown) => (typeof value === "string" ? value : null);
    const percent = (value: unknown) => (typeof value === "number" && value >= 0 && value <= 100 ? value : null);
    return {
      rig: string(kept.rig),
      clip: string(kept.clip),
      kinds: Array.isArray(kept.kinds) ? KINDS.filter((kind) => (kept.kinds as unknown[]).includes(kind)) : [],
      state: one(kept.state, LABEL_STATES),
      least: percent(kept.least),
      most: percent(kept.most),
      model: string(kept.model),
      condition: one(kept.condition, CONDITIONS),
      order: one(kept.order, ORDERS) ?? "time",
    };
  } catch {
    return EVERYTHING;
  }
}
