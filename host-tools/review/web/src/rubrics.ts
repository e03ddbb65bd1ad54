// The written rules, as they stand in docs/: the page bundles those very files.

import alertness from "../../../../docs/alertness.md?raw";
import rules from "../../../../docs/review-rules.md?raw";
import quality from "../../../../docs/video-quality.md?raw";
import { TITLE } from "./kinds";
import { type Block, blocks, section } from "./markdown";
import type { Kind } from "./model";

const PICTURES = import.meta.glob<string>("../../../../docs/video-quality/*.jpg", { eager: true, query: "?url", import: "default" });

const RULES = blocks(rules);

/** What counts for a kind: its own rule, and for scales the whole rubric. */
export function rubricOf(kind: Kind): Block[] {
  const own = section(RULES, TITLE[kind]);
  switch (kind) {
    case "video-quality":
      return [...own, ...blocks(quality).slice(1)];
    case "alertness":
      // What the table rests on is for whoever builds it; the levels are for whoever judges.
      return [...own, ...upToSigns(blocks(alertness))];
    default:
      return own;
  }
}

function upToSigns(all: Block[]): Block[] {
  const end = all.findIndex((block) => block.is === "heading" && block.level === 2);
  return all.slice(1, end < 0 ? all.length : end);
}

/** The address of a picture that a rubric names. */
export function pictureOf(file: string): string | null {
  return PICTURES[`../../../../docs/${file}`] ?? null;
}
