// Labels for the tests of this folder. Nothing of it ships: no module of the page imports it.

import type { Label } from "./model";

export function label(id: string, first: number, last: number, state: Label["state"] = "waiting"): Label {
  return {
    id,
    clip: "rig~1~1",
    kind: "blink",
    track: 1,
    frames: [first, last],
    pts_us: [first * 40_000, last * 40_000],
    confidence: 0.9,
    raw: null,
    model: null,
    event: null,
    value: null,
    signs: null,
    driver: false,
    state,
    cause: null,
    correction: null,
    has_evidence: true,
  };
}
