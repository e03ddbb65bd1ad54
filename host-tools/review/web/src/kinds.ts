// What the kinds have in common, and what a reviewer does with each.

import { type Correction, type FrameRange, type Kind, type Label, LINE_KINDS, type Value } from "./model";

/** What a verdict on a label is given on: an event in time, a place in the picture, a line in it, yes or no, or a level. */
export type Form = "event" | "box" | "point" | "line" | "flag" | "level";

export function formOf(kind: Kind): Form {
  switch (kind) {
    case "blink":
    case "long-closure":
      return "event";
    case "bbox-person":
      return "box";
    case "keypoint-left-eye":
    case "keypoint-right-eye":
      return "point";
    case "polyline-left-eyelid":
    case "polyline-right-eyelid":
    case "polyline-face-outline":
      return "line";
    case "alertness":
    case "video-quality":
      return "level";
    case "wearing-glasses":
    case "in-shadow":
    case "face-occluded":
    case "light-change":
      return "flag";
  }
}

/** Whether it has a place in the picture, by keyframes. */
export function isPlaced(form: Form | null): form is "box" | "point" | "line" {
  return form === "box" || form === "point" || form === "line";
}

/** Its name at the head of an item. */
export const TITLE: Record<Kind, string> = {
  blink: "Blink",
  "long-closure": "Long closure",
  "bbox-person": "Person",
  "keypoint-left-eye": "Left eye",
  "keypoint-right-eye": "Right eye",
  "wearing-glasses": "Glasses",
  "in-shadow": "Face in shadow",
  "face-occluded": "Face covered",
  alertness: "Alertness",
  "light-change": "Light change",
  "video-quality": "Video quality",
  "polyline-left-eyelid": "Left eyelids",
  "polyline-right-eyelid": "Right eyelids",
  "polyline-face-outline": "Face outline",
};

/** What is asked of the reviewer. */
export const QUESTION: Record<Kind, string> = {
  blink: "Does a blink run over these frames?",
  "long-closure": "Are the eyes shut over these frames?",
  "bbox-person": "Does the box hold the whole visible person, closely?",
  "keypoint-left-eye": "Is this the centre of the subject's left eye?",
  "keypoint-right-eye": "Is this the centre of the subject's right eye?",
  "wearing-glasses": "Does the person wear glasses?",
  "in-shadow": "Does a shadow lie on the face?",
  "face-occluded": "Does something cover part of the face?",
  alertness: "How awake does the driver look?",
  "light-change": "Does the light change here?",
  "video-quality": "How well can a driver's face be read?",
  "polyline-left-eyelid": "Does the line follow the edge of both lids of the subject's left eye?",
  "polyline-right-eyelid": "Does the line follow the edge of both lids of the subject's right eye?",
  "polyline-face-outline": "Does the line follow the edge of the face?",
};

/** Kinds that are judged alike, in one go of the filter. */
export const GROUPS: readonly { name: string; kinds: readonly Kind[] }[] = [
  { name: "Events", kinds: ["blink", "long-closure"] },
  { name: "People and eyes", kinds: ["bbox-person", "keypoint-left-eye", "keypoint-right-eye"] },
  { name: "Lines", kinds: LINE_KINDS },
  { name: "Attributes", kinds: ["wearing-glasses", "in-shadow", "face-occluded", "alertness"] },
  { name: "Scene", kinds: ["light-change", "video-quality"] },
];

/** Whether a person made it, and no machine. */
export function isMade(label: Label): boolean {
  return label.made_by != null;
}

/** The label's value; the first API gave events apart. */
export function valueOf(label: Label): Value | null {
  return label.value ?? (label.event === null ? null : { event: label.event });
}

/** Frames and value as they stand: the reviewer's where there is a correction. */
export function standing(label: Label): { frames: FrameRange; value: Value | null } {
  return { frames: label.correction?.frames ?? label.frames, value: label.correction?.value ?? valueOf(label) };
}

/** A value in a word or two. */
export function valueText(value: Value | null): string {
  if (value === null) return "";
  if (value.flag !== undefined) return value.flag ? "yes" : "no";
  if (value.level !== undefined) return `${value.level}`;
  const keys = value.boxes ?? value.points ?? value.line?.keys;
  if (keys !== undefined) return `◆ ${keys.length}`;
  if (value.event !== undefined && value.event.eyes !== "both") return `${value.event.eyes} eye`;
  return "";
}

/** The correction that makes the label say this; null where it says it already. */
export function correctionTo(label: Label, value: Value): Correction | null {
  const now = valueOf(label);
  if (value.flag !== undefined) return now?.flag === value.flag ? null : { value };
  if (value.level !== undefined) return now?.level === value.level ? null : { value };
  return { value };
}
