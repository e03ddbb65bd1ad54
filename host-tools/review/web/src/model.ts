// What the HTTP API says (docs/reference/http.md), typed. Frames are 0-based and ranges inclusive; times are
// microseconds on the clip's own time line.

export type FrameRange = readonly [first: number, last: number];

export type LabelState = "waiting" | "accepted" | "rejected";

export const REJECT_CAUSES = [
  "wrong-place",
  "wrong-time",
  "wrong-value",
  "not-a-person",
  "duplicate",
  "cannot-tell",
] as const;

export type RejectCause = (typeof REJECT_CAUSES)[number];

export type Verdict = { verdict: "accept" } | { verdict: "reject"; cause: RejectCause };

export interface ModelRef {
  name: string;
  version: string;
  sha256: string;
}

export interface EventValue {
  eyes: "both" | "left" | "right";
  peak: number;
  opening: number;
}

/** A candidate event: a blink or a long closure. */
export interface Label {
  id: string;
  clip: string;
  kind: "blink" | "long-closure";
  track: number | null;
  frames: FrameRange;
  pts_us: readonly [number, number];
  confidence: number | null;
  raw: number | null;
  model: ModelRef | null;
  event: EventValue | null;
  state: LabelState;
  cause: RejectCause | null;
  has_evidence: boolean;
}

/** The openness curve and the layout of the filmstrip. */
export interface Evidence {
  /** Frames that the curve spans. */
  frames: FrameRange;
  /** Frames between two points of the curve. */
  stride: number;
  /** Openness as a share of the open eye; null where the eye was not looked at. */
  left: readonly (number | null)[];
  right: readonly (number | null)[];
  /** The frame that each column of the filmstrip shows. */
  columns: readonly number[];
  /** Width and height of one tile in pixels. */
  tile: readonly [number, number];
}

export interface Clip {
  id: string;
  rig: string;
  name: string;
  frames: number | null;
  duration_us: number | null;
  /** Candidate events of the clip by state. */
  waiting: number;
  accepted: number;
  rejected: number;
  complete: boolean;
  damage: string | null;
}

/** Frames in which Rigel did not look for events of a kind, and why. */
export interface Abstention {
  kind: string;
  track: number | null;
  frames: FrameRange;
  reason: string;
}

export type LinkState = "online" | "stopped" | "offline" | "unknown";

export interface Rig {
  rig: string;
  site: string;
  link: LinkState;
}

export interface Summary {
  rigs: readonly Rig[];
  made: number;
  offered: number;
  abstained: number;
  sent: number;
  committed: number;
  evicted: number;
  balanced: boolean;
  frames: number;
  tracks: number;
  blinks: number;
  evidence: number;
}
