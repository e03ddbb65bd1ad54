import { useSignalEffect } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { TITLE } from "../kinds";
import type { Block, Inline } from "../markdown";
import type { Kind } from "../model";
import { rubricOpen } from "../panels";
import { pictureOf, rubricOf } from "../rubrics";

/** The written rule for a kind, beside the label: one key away, and gone with the next. */
export function Rubric({ kind }: { kind: Kind }) {
  const box = useRef<HTMLElement>(null);
  useSignalEffect(() => {
    if (rubricOpen.value) box.current?.focus();
  });
  if (!rubricOpen.value) return null;
  return (
    <section class="rubric" ref={box} tabIndex={-1} aria-label={`The rule for ${TITLE[kind].toLowerCase()}`}>
      <p class="rubric-head">
        <strong>{TITLE[kind]}: the rule</strong>
        <button type="button" onClick={() => (rubricOpen.value = false)}>
          Close <kbd>G</kbd>
        </button>
      </p>
      {rubricOf(kind).map((block, i) => (
        <Shown key={i} block={block} />
      ))}
    </section>
  );
}

function Shown({ block }: { block: Block }) {
  switch (block.is) {
    case "heading":
      return <h3>{spans(block.of)}</h3>;
    case "paragraph":
      return <p>{spans(block.of)}</p>;
    case "list":
      return (
        <ul>
          {block.items.map((item, i) => (
            <li key={i}>{spans(item)}</li>
          ))}
        </ul>
      );
    case "table":
      return (
        <table>
          <thead>
            <tr>
              {block.head.map((cell, i) => (
                <th key={i}>{spans(cell)}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {block.rows.map((row, i) => (
              <tr key={i}>
                {row.map((cell, j) => (
                  <td key={j}>{spans(cell)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      );
  }
}

function spans(of: readonly Inline[]): ComponentChildren {
  return of.map((one, i) => {
    switch (one.is) {
      case "text":
        return one.text;
      case "strong":
        return <strong key={i}>{one.text}</strong>;
      case "em":
        return <em key={i}>{one.text}</em>;
      case "code":
        return <code key={i}>{one.text}</code>;
      case "picture": {
        const address = pictureOf(one.file);
        return address === null ? null : <img key={i} src={address} alt={one.alt} loading="lazy" />;
      }
    }
  });
}
