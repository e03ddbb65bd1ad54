import { describe, expect, it } from "vitest";
import { blocks, inline, section } from "./markdown";

describe("a rubric's text", () => {
  it("is read as headings, paragraphs, lists and tables", () => {
    const read = blocks("# Title\nUnder it.\n\n* one\n  and more\n* two\n\n| a | b |\n|---|---|\n| 1 | **2** |\n");
    expect(read.map((block) => block.is)).toEqual(["heading", "paragraph", "list", "table"]);
    expect(read[2]).toEqual({
      is: "list",
      items: [[{ is: "text", text: "one and more" }], [{ is: "text", text: "two" }]],
    });
    expect(read[3]).toMatchObject({ rows: [[[{ text: "1" }], [{ is: "strong", text: "2" }]]] });
  });

  it("keeps pictures, and of links their text", () => {
    expect(inline("see ![five faces](video-quality/noise.jpg) and [the wire](wire.md)")).toEqual([
      { is: "text", text: "see " },
      { is: "picture", alt: "five faces", file: "video-quality/noise.jpg" },
      { is: "text", text: " and " },
      { is: "text", text: "the wire" },
    ]);
  });

  it("is cut to the part of one heading", () => {
    const all = blocks("# Rules\n\n## Blink\n\nLids move.\n\n### Note\n\nTwo eyes.\n\n## Glasses\n\nClear or dark.");
    expect(section(all, "Blink").map((block) => block.is)).toEqual(["paragraph", "heading", "paragraph"]);
    expect(section(all, "Yawn")).toEqual([]);
  });
});
