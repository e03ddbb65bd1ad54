import { expect, test } from "vitest";
import { type Draft, type Export, said, size, standing, wishOf } from "./exports";
import { EVERYTHING } from "./filters";

const DRAFT: Draft = { format: "csv", labels: "truth", filter: EVERYTHING, everyFrame: true, split: " ", seed: 7, people: "a,b" };

const EXPORT: Export = {
  export: 3,
  wish: wishOf(DRAFT),
  by_person: false,
  asked_by: "lea",
  asked_us: 0,
  state: "running",
  done: 0,
  total: null,
  reason: null,
  ended_us: null,
  bytes: null,
  sha256: null,
  summary: null,
};

test("every frame is asked for in formats of pictures only, and people where something is divided", () => {
  expect(wishOf(DRAFT)).toMatchObject({ every_frame: false, split: null });
  expect(wishOf(DRAFT).people).toBeUndefined();
  const divided = wishOf({ ...DRAFT, format: "yolo", split: "a=1,b=1" });
  expect(divided).toMatchObject({ every_frame: true, split: "a=1,b=1", people: "a,b" });
});

test("the queue's filter is asked for as the queue asks for it", () => {
  const filter = { ...EVERYTHING, kinds: ["blink", "alertness"] as const, least: 20, state: "waiting" as const, condition: "glasses" as const };
  const wish = wishOf({ ...DRAFT, filter });
  expect(wish.filter).toMatchObject({ kind: "blink,alertness", confidence_min: 0.2, confidence_max: null, state: "waiting", condition: "glasses" });
  const words = said({ ...EXPORT, wish });
  expect(words).toContain("20–100 % sure");
  expect(words).toContain("waiting");
});

test("how an export stands is told in words", () => {
  expect(standing(EXPORT)).toBe("begins");
  expect(standing({ ...EXPORT, done: 5, total: 20 })).toBe("25 %");
  expect(standing({ ...EXPORT, done: 20, total: 20 })).toBe("packing");
  expect(standing({ ...EXPORT, state: "failed", reason: "no label matches" })).toBe("no label matches");
  const summary = { clips: 2, labels: { confirmed: 1200, rejected: 1 }, lost: {}, told: [] };
  expect(standing({ ...EXPORT, state: "here", summary })).toBe("2 clips: 1\u202f200 confirmed, 1 rejected");
});

test("sizes are written in the unit that suits them", () => {
  expect([0, 999, 1000, 123_456, 99_950_000, 5e12].map(size)).toEqual(["0 B", "999 B", "1.0 kB", "123 kB", "100.0 MB", "5000 GB"]);
});
