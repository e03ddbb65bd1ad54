// What the HTTP API says (docs/reference/http.md), typed. Frames are 0-based and ranges inclusive; times are
// microseconds on the clip's own time line.

export type FrameRange = readonly [first: number, last: number];

export type LabelState = "waiting" | "accepted" | "corrected" | "rejected";

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
  /** Why it was rejected; the list leaves it out, the single label gives it. */
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
  /** Decoded frames; null until the clip is closed. */
  frames: number | null;
  nominal_fps: number | null;
  /** Candidate blinks and long closures. */
  events: number;
  /** Candidates of every kind, by where they stand. */
  review: Record<LabelState, number>;
  balance: Balance;
  damage: string | null;
}

/** Frames in which Rigel did not look for events of a kind, and why. */
export interface Abstention {
  kind: string;
  track: number | null;
  frames: FrameRange;
  reason: string;
}

/** A moment that the driver or operator marked by the rig's button. */
export interface Mark {
  /** The last frame that the rig had looked at by then. */
  frame: number;
  pts_us: number;
}

export type LinkState = "online" | "stopped" | "offline" | "unknown";

export type CameraState = "starting" | "streaming" | "stalled" | "unplugged" | "failing" | "off";

export interface Camera {
  state: CameraState;
  format: string;
  width: number;
  height: number;
  asked_fps: number;
  measured_fps: number;
}

export interface Health {
  temperature_c: number | null;
  /** Slowed down for heat or want of power; null where the rig cannot tell. */
  throttled: boolean | null;
  /** What is left out for want of time or coolness. */
  shed: string;
  /** null where the rig reads its clips from files. */
  camera: Camera | null;
}

export interface Rig {
  rig: string;
  site: string;
  link: LinkState;
  /** The line of its last check of itself; begins with `passed` or `failed`. */
  self_test: string | null;
  /** null until it has told how it fares. */
  health: Health | null;
}

/** `open`: the rig still makes labels of the clip. */
export type Balance = "open" | "balanced" | "unbalanced";

export interface Summary {
  rigs: readonly Rig[];
  /** Labels that the rigs say they made of their closed clips. */
  made: number;
  /** Labels of these clips that are stored here. */
  committed: number;
  /** Clips that are not closed yet: what they hold is not counted above. */
  open_clips: number;
  /** Labels that rigs gave up for want of room. */
  lost: number;
  messages: { sent: number; committed: number };
  balanced: boolean;
}
