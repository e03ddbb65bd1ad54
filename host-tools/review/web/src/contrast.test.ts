import { describe, expect, it } from "vitest";
import css from "./style/base.css?raw";

/** The colours of a theme, from the style sheet itself. */
function theme(text: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(/--([a-z-]+): (#[0-9a-f]{6});/g)].map((match) => [match[1], match[2]]));
}

const [light = "", dark = ""] = css.split("@media (prefers-color-scheme: dark)");

/** Relative luminance and contrast after WCAG 2.2. */
function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [high, low] = [luminance(a), luminance(b)].sort((one, other) => other - one) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

const TEXT = ["ink", "quiet", "waiting", "accepted", "rejected"];
const GROUNDS = ["ground", "panel", "sunk", "accent-soft"];

describe.each([
  ["light", theme(light)],
  ["dark", { ...theme(light), ...theme(dark) }],
])("the %s theme", (_, colours) => {
  it.each(TEXT.flatMap((text) => GROUNDS.map((ground) => [text, ground] as const)))(
    "writes %s on %s with a contrast of at least 4.5",
    (text, ground) => {
      expect(contrast(colours[text] as string, colours[ground] as string)).toBeGreaterThanOrEqual(4.5);
    },
  );

  it("draws curves and edges so that they are told from what is behind them", () => {
    for (const mark of ["right-eye", "left-eye", "focus"]) {
      expect(contrast(colours[mark] as string, colours["sunk"] as string)).toBeGreaterThanOrEqual(3);
    }
  });
});
