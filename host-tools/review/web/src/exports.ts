// Exports over the HTTP API (docs/reference/http.md): what is asked for, and how it stands.

import { type Filter, narrowing } from "./filters";
import { count, words } from "./format";
import { TITLE } from "./kinds";
import { CONDITIONS, KINDS, LABEL_STATES } from "./model";

export const FORMATS = [
  ["csv", "CSV tables"],
  ["parquet", "Parquet tables"],
  ["coco", "COCO key points and detection"],
  ["cvat", "CVAT for video 1.1"],
  ["label-studio", "Label Studio"],
  ["yolo", "YOLO"],
  ["yolo-pose", "YOLO-pose"],
  ["openlabel", "OpenLABEL 1.0"],
  ["datumaro", "Datumaro"],
  ["elan", "ELAN"],
] as const;

export type Format = (typeof FORMATS)[number][0];

/** Formats that are made of pictures: of keyframes only, or of every frame. */
export const OF_PICTURES: readonly Format[] = ["coco", "yolo", "yolo-pose", "datumaro"];

export const LABELS = [
  ["truth", "what persons stand behind"],
  ["candidates", "what machines offered"],
  ["both", "the truth, and what waits"],
] as const;

export type Labels = (typeof LABELS)[number][0];

/** The form as it is filled in. */
export interface Draft {
  format: Format;
  labels: Labels;
  filter: Filter;
  everyFrame: boolean;
  /** `train=80,val=20`; empty where nothing is divided. */
  split: string;
  seed: number;
  /** Lines `clip,person`; null where clips are divided by rig. */
  people: string | null;
}

/** What the queue's filter says of which labels; of order and place nothing. */
interface WishFilter {
  rig?: string | null;
  clip?: string | null;
  kind?: string | null;
  state?: string | null;
  confidence_min?: number | null;
  confidence_max?: number | null;
  model?: string | null;
  condition?: string | null;
}

export interface Wish {
  format: string;
  labels: Labels;
  filter: WishFilter;
  every_frame: boolean;
  split: string | null;
  seed: number;
  people?: string;
}

export interface Export {
  export: number;
  wish: Wish;
  by_person: boolean;
  asked_by: string;
  asked_us: number;
  state: "waiting" | "running" | "here" | "failed";
  done: number;
  total: number | null;
  reason: string | null;
  ended_us: number | null;
  bytes: number | null;
  sha256: string | null;
  summary: { clips: number; labels: Record<string, number>; lost: Record<string, number>; told: string[] } | null;
}

export function wishOf(draft: Draft): Wish {
  const { filter } = draft;
  const split = draft.split.trim();
  return {
    format: draft.format,
    labels: draft.labels,
    filter: {
      rig: filter.rig,
      clip: filter.clip,
      kind: filter.kinds.length === 0 ? null : filter.kinds.join(","),
      state: filter.state,
      confidence_min: filter.least === null ? null : filter.least / 100,
      confidence_max: filter.most === null ? null : filter.most / 100,
      model: filter.model,
      condition: filter.condition,
    },
    every_frame: draft.everyFrame && OF_PICTURES.includes(draft.format),
    split: split === "" ? null : split,
    seed: draft.seed,
    ...(split === "" || draft.people === null ? {} : { people: draft.people }),
  };
}

/** What was asked for, in words. */
export function said({ wish, by_person }: Export): string[] {
  const { filter } = wish;
  const percent = (share: number | null | undefined) => (share == null ? null : Math.round(share * 100));
  const kinds = KINDS.filter((kind) => (filter.kind ?? "").split(",").includes(kind));
  const parts: string[] = [LABELS.find(([name]) => name === wish.labels)?.[1] ?? wish.labels];
  if (filter.rig != null) parts.push(filter.rig);
  if (filter.clip != null) parts.push(`clip ${filter.clip}`);
  if (kinds.length > 0) parts.push(kinds.map((kind) => TITLE[kind]).join(", "));
  parts.push(
    ...narrowing({
      rig: null,
      clip: null,
      kinds,
      state: LABEL_STATES.find((state) => state === filter.state) ?? null,
      least: percent(filter.confidence_min),
      most: percent(filter.confidence_max),
      model: filter.model ?? null,
      condition: CONDITIONS.find((one) => one === filter.condition) ?? null,
      order: "time",
    }),
  );
  if (wish.every_frame) parts.push("every frame");
  if (wish.split !== null) parts.push(`${wish.split} by ${by_person ? "person" : "rig"}, seed ${wish.seed}`);
  return parts;
}

/** How it stands, in words. */
export function standing(one: Export): string {
  switch (one.state) {
    case "waiting":
      return "waits for others";
    case "running":
      if (one.total === null || one.total === 0) return "begins";
      return one.done >= one.total ? "packing" : `${Math.floor((100 * one.done) / one.total)} %`;
    case "failed":
      return one.reason ?? "failed";
    case "here": {
      const labels = Object.entries(one.summary?.labels ?? {}).map(([of, many]) => `${count(many)} ${words(of)}`);
      return `${count(one.summary?.clips ?? 0)} clips: ${labels.length === 0 ? "no labels" : labels.join(", ")}`;
    }
  }
}

/** `1.2 MB` */
export function size(bytes: number): string {
  const units = ["B", "kB", "MB", "GB"] as const;
  const step = Math.min(bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3), units.length - 1);
  const value = bytes / 1000 ** step;
  return `${step === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[step]}`;
}
