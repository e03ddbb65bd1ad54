// What the HTTP API says (docs/reference/http.md), typed. Frames are 0-based and ranges inclusive; times are
// microseconds on the clip's own time line.

export type FrameRange = readonly [first: number, last: number];

/** `created`: a person made it, no machine did; `removed`: such a label, taken away again. */
export const LABEL_STATES = ["waiting", "accepted", "corrected", "rejected", "created", "removed"] as const;

export type LabelState = (typeof LABEL_STATES)[number];

/** Lines on a face: no rig offers them, people draw them. */
export const LINE_KINDS = ["polyline-left-eyelid", "polyline-right-eyelid", "polyline-face-outline"] as const;

export type LineKind = (typeof LINE_KINDS)[number];

export const KINDS = [
  "blink",
  "long-closure",
  "bbox-person",
  "keypoint-left-eye",
  "keypoint-right-eye",
  "wearing-glasses",
  "in-shadow",
  "face-occluded",
  "alertness",
  "light-change",
  "video-quality",
  ...LINE_KINDS,
] as const;

export type Kind = (typeof KINDS)[number];

export const REJECT_CAUSES = [
  "wrong-place",
  "wrong-time",
  "wrong-value",
  "not-a-person",
  "duplicate",
  "cannot-tell",
] as const;

export type RejectCause = (typeof REJECT_CAUSES)[number];

/** What a label was seen under, as the host tells it from the flags that overlap it. */
export const CONDITIONS = [
  "glasses",
  "bare-eyes",
  "shadow",
  "no-shadow",
  "occluded",
  "uncovered",
  "light-change",
  "steady-light",
] as const;

export type Condition = (typeof CONDITIONS)[number];

/** What a person said of tracks. */
export type TrackEdit =
  | { do: "split"; track: number; frame: number }
  | { do: "merge"; track: number; into: number };

/** What would have been right; what is absent was. */
export interface Correction {
  frames?: FrameRange;
  value?: Value;
}

export type Verdict =
  | { verdict: "accept" }
  | { verdict: "reject"; cause: RejectCause }
  | { verdict: "correct"; correction: Correction };

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

/** A keyframe of a box: frame, x, y, width, height in pixels of the source image, and confidence. */
export type BoxRow = readonly [number, number, number, number, number, number];
/** A keyframe of a point: frame, x, y and confidence. */
export type PointRow = readonly [number, number, number, number];

/** A keyframe of a line: frame, and x and y of each point. */
export type LineRow = readonly [frame: number, points: readonly (readonly [x: number, y: number])[]];

/** `closed`: the last point is joined to the first. */
export interface LineValue {
  closed: boolean;
  keys: readonly LineRow[];
}

/** As on the wire: exactly one of the fields stands. */
export interface Value {
  boxes?: readonly BoxRow[];
  points?: readonly PointRow[];
  line?: LineValue;
  flag?: boolean;
  level?: number;
  event?: EventValue;
}

/** What a level of alertness rests on (docs/alertness.md). */
export interface Signs {
  seen_s: number;
  perclos: number;
  longest_closure_s: number;
  closures: number;
  blinks: number;
  blink_s?: number | null;
  blink_ratio?: number | null;
  yawns: number;
  nods: number;
}

export interface Label {
  id: string;
  clip: string;
  kind: Kind;
  track: number | null;
  frames: FrameRange;
  pts_us: readonly [number, number];
  confidence: number | null;
  raw: number | null;
  model: ModelRef | null;
  event: EventValue | null;
  value?: Value | null;
  signs?: Signs | null;
  /** The person at the wheel, as the rig tells them. */
  driver?: boolean;
  state: LabelState;
  /** Why it was rejected; the list leaves it out, the single label gives it. */
  cause: RejectCause | null;
  /** As the reviewer left it; null unless corrected. */
  correction?: Correction | null;
  /** Who made it, where a person did. */
  made_by?: string | null;
  has_evidence: boolean;
}

/** A key picture: what the camera saw in one frame, made smaller. */
export interface Picture {
  id: string;
  frame: number;
  pts_us: number;
  /** Width and height of the picture, in pixels of its own. */
  size: readonly [number, number];
  /** Width and height of the source image that it was made from. */
  of: readonly [number, number];
}

/** Openness of both eyes over a stretch of a clip; null where nothing was told. */
export interface OpennessCurve {
  frames: FrameRange;
  stride: number;
  left: readonly (number | null)[];
  right: readonly (number | null)[];
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
  /** The rig's clip whose recording shows it; null of what was imported and no rig has. */
  rig_clip: string | null;
  name: string;
  /** Decoded frames; null until the clip is closed. */
  frames: number | null;
  nominal_fps: number | null;
  /** Candidate blinks and long closures. */
  events: number;
  /** Candidates of every kind, by where they stand. */
  review: Record<"waiting" | "accepted" | "corrected" | "rejected", number>;
  kinds?: readonly { kind: Kind; offered: number; abstained: number }[];
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
