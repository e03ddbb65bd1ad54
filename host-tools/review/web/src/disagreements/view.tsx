// Disagreements: what two or three people said of one label, side by side, and whose word stands.

import { useEffect, useRef, useState } from "preact/hooks";
import { ago, get } from "../desk";
import * as format from "../format";
import { fit, toCanvas } from "../geometry";
import { formOf, TITLE, valueText } from "../kinds";
import type { Evidence, Picture } from "../model";
import { hashOf } from "../route";
import { columnWidth, stretchOf } from "../strip";
import "../style/disagreements.css";
import { fromValue, positionAt } from "../track";
import { useSize } from "../view/size";
import type { View } from "../views";
import * as state from "./cases";

/** What a side said, in words. */
export function saidBy({ says, frames, value }: state.Side): string {
  if (says === "nothing") return "nothing is there";
  if (says === "cannot-tell") return "nobody can tell";
  const event = value?.event !== undefined && frames !== null ? `frames ${format.frames(frames)}` : null;
  const placed = value?.boxes !== undefined || value?.points !== undefined ? "as drawn" : null;
  const what = event ?? placed ?? valueText(value);
  return says === "not" ? `not ${what}` : what;
}

function Body() {
  if (!state.isLead.value) {
    return (
      <main class="nothing">
        <h2>Leads decide here</h2>
        <p>Where an answer from scratch differs from the verdict that stands, a third person is asked; if they differ too, a lead decides.</p>
      </main>
    );
  }
  const one = state.current.value;
  const waiting = state.waitingForSecond.value;
  return (
    <main class="disagreements">
      {one === null ? (
        <div class="nothing">
          <h2>{state.told.value ? "Nothing to decide" : "Asking …"}</h2>
          <p>Where an answer from scratch differs from the verdict that stands, a third person is asked; if they differ too, it comes here.</p>
        </div>
      ) : (
        <Open one={one} />
      )}
      {waiting > 0 && (
        <p class="quiet">
          {waiting === 1 ? "1 disagreement waits" : `${waiting} disagreements wait`} for somebody who has said nothing of the label yet.
        </p>
      )}
      <Decided />
    </main>
  );
}

function Open({ one }: { one: state.Case }) {
  const at = state.open.value.findIndex((other) => other.label === one.label) + 1;
  return (
    <article aria-labelledby="case-title" data-label={one.label}>
      <header class="title">
        <h2 id="case-title">
          {TITLE[one.kind]} · frames {format.frames(one.frames)}
        </h2>
        <span class="quiet">{one.track === null ? "the scene" : `person: track ${one.track}`}</span>
        <p class="question">These do not agree. Whose word stands?</p>
      </header>
      {formOf(one.kind) === "event" && one.has_evidence ? <Strip one={one} key={one.label} /> : <Pictured one={one} key={one.label} />}
      <footer class="verdict">
        {one.sides.map((side, i) => (
          <button key={`${i}`} type="button" class={`side-${i}`} onClick={() => void state.decide(i)}>
            <kbd>{i + 1}</kbd> <span class="mark" aria-hidden="true" /> {saidBy(side)}
          </button>
        ))}
        <button type="button" onClick={() => void state.decide(null)}>
          <kbd>C</kbd> nobody can tell
        </button>
        <a class="open" href={hashOf({ view: "review", rest: one.label })}>
          Open the label
        </a>
        {state.lastDecided.value !== null && (
          <button type="button" onClick={() => void state.undo()}>
            <kbd>U</kbd> Undo
          </button>
        )}
        <span class="moves quiet">
          <kbd>K</kbd> <kbd>J</kbd> {at} of {state.open.value.length}
        </span>
      </footer>
    </article>
  );
}

/** The filmstrip with a bar for each side. */
function Strip({ one }: { one: state.Case }) {
  const box = useRef<HTMLDivElement>(null);
  const { width } = useSize(box);
  const [layout, setLayout] = useState<Evidence | null>(null);
  const source = `api/evidence/${encodeURIComponent(one.label)}`;
  useEffect(() => {
    get<Evidence>(`${source}.json`).then(setLayout, () => setLayout(null));
  }, [source]);
  const columns = layout?.columns ?? [];
  const each = layout === null ? 0 : columnWidth(width, columns.length, layout.tile[0]);
  return (
    <div class="case" ref={box}>
      {layout !== null && each > 0 && (
        <figure class="strip">
          <img src={`${source}.jpg`} width={columns.length * each} alt={`Both eyes in frames ${columns[0]} to ${columns.at(-1)}`} />
          {one.sides.map((side, i) => {
            const stretch = side.frames === null ? null : stretchOf(side.frames, columns);
            return (
              <div key={`${i}`} class="lane" style={{ width: `${columns.length * each}px` }}>
                <span class="quiet">{i + 1}</span>
                {stretch !== null && side.says !== "nothing" && (
                  <span
                    class={`reading side-${i} says-${side.says}`}
                    style={{ left: `${stretch.from * each}px`, width: `${(stretch.to - stretch.from) * each}px` }}
                  />
                )}
              </div>
            );
          })}
        </figure>
      )}
    </div>
  );
}

/** The frame that was answered, with what each side drew. */
function Pictured({ one }: { one: state.Case }) {
  const box = useRef<HTMLDivElement>(null);
  const { width, height } = useSize(box);
  const [pictures, setPictures] = useState<readonly Picture[]>([]);
  useEffect(() => {
    get<Picture[]>(`api/pictures?clip=${encodeURIComponent(one.clip)}`).then(setPictures, () => setPictures([]));
  }, [one.clip]);
  const asked = one.sides.find((side) => side.frames !== null && side.frames[0] === side.frames[1])?.frames?.[0];
  const middle = asked ?? Math.round((one.frames[0] + one.frames[1]) / 2);
  const shown = pictures.reduce<Picture | null>(
    (best, next) => (best === null || Math.abs(next.frame - middle) < Math.abs(best.frame - middle) ? next : best),
    null,
  );
  const view = shown === null ? null : fit([width, height], shown.of);
  return (
    <div class="case" ref={box}>
      {shown !== null && view !== null && width > 0 && (
        <div class="picture">
          <img
            src={`api/pictures/${encodeURIComponent(shown.id)}.jpg`}
            alt={`The picture of frame ${shown.frame}`}
            style={{ left: `${toCanvas(view, [0, 0])[0]}px`, top: `${toCanvas(view, [0, 0])[1]}px`, width: `${shown.of[0] * view.scale}px` }}
          />
          <svg width={width} height={height} aria-hidden="true">
            {one.sides.map((side, i) => {
              const track = fromValue(side.value);
              if (track === null) return null;
              const [x = 0, y = 0, w, h] = positionAt(track, shown.frame);
              const [left, top] = toCanvas(view, [x, y]);
              return (
                <g key={`${i}`} class={`side-${i}`}>
                  {w === undefined || h === undefined ? (
                    <circle cx={left} cy={top} r="8" />
                  ) : (
                    <rect x={left} y={top} width={w * view.scale} height={h * view.scale} />
                  )}
                  <text x={left + 6} y={top - 6}>
                    {i + 1}
                  </text>
                </g>
              );
            })}
          </svg>
        </div>
      )}
    </div>
  );
}

function Decided() {
  const decided = state.decided.value;
  if (decided.length === 0) return null;
  return (
    <section aria-labelledby="decided-title">
      <h3 id="decided-title">Decided</h3>
      <ul>
        {decided.map((one) => (
          <li key={one.label}>
            <a href={hashOf({ view: "review", rest: one.label })}>
              {TITLE[one.kind]} · frames {format.frames(one.frames)}
            </a>{" "}
            <span class="quiet">{one.sides.map((side) => `${side.reviewer}: ${saidBy(side)}`).join("; ")}.</span>{" "}
            {one.decision !== null && (
              <span>
                {one.decision.reviewer} {one.decision.replaced === null ? "let it stand" : "replaced the verdict"}, {ago(one.decision.at_us)}
              </span>
            )}{" "}
            <button type="button" onClick={() => void state.undo(one.label)}>
              Take back
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

export const DISAGREEMENTS: View = {
  name: "disagreements",
  title: "Disagreements",
  Body,
  waiting: () => state.open.value.length,
  keys: [
    { keys: ["1", "–", "3"], does: "the word of this side stands" },
    { keys: ["C"], does: "nobody can tell" },
    { keys: ["J", "K"], does: "next, previous disagreement" },
    { keys: ["U"], does: "take back the last decision" },
  ],
  takeKey: ({ key, modified, repeat, on }) => {
    if (modified || repeat || on === "field" || !state.isLead.value) return false;
    if (/^[1-3]$/.test(key)) {
      void state.decide(Number(key) - 1);
      return true;
    }
    switch (key.toLowerCase()) {
      case "c":
        void state.decide(null);
        return true;
      case "j":
        state.move(1);
        return true;
      case "k":
        state.move(-1);
        return true;
      case "u":
        void state.undo();
        return true;
      default:
        return false;
    }
  },
};
