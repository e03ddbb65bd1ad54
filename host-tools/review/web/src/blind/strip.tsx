import { useEffect, useState } from "preact/hooks";
import { Curve } from "../view/curve";
import { column } from "../material";
import { columnWidth, nearestColumn, stretchOf } from "../strip";
import * as state from "./look";

const GUTTER_PX = 76;
/** Of the enlarged frame, in its own pixels. */
const ENLARGED = 4;

/** The filmstrip of the frames asked about, with what is marked on it; after the answer with what it is held against. */
export function MarkedStrip({ width }: { width: number }) {
  const [asked, layout] = [state.look.value, state.strip.value];
  const [held, hold] = useState<number | null>(null);
  // The curve beneath shows the same frame.
  useEffect(() => {
    if (layout !== null) column.value = nearestColumn(state.at.value, layout.columns);
  }, [state.at.value, layout]);
  if (asked === null || layout === null) return null;
  const { columns, tile } = layout;
  const each = columnWidth(width - GUTTER_PX, columns.length, tile[0]);
  const row = (each * tile[1]) / tile[0];
  const source = `api/looks/${asked.look}/strip.jpg`;
  const frameAt = (event: PointerEvent) => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const at = Math.floor((event.clientX - box.left) / each);
    return columns[Math.min(Math.max(at, 0), columns.length - 1)] ?? state.at.value;
  };
  const [from, to] = [state.first.value, state.last.value];
  const mine = from === null && to === null ? null : ([from ?? to ?? 0, to ?? from ?? 0] as const);
  const against = asked.answer?.against?.frames ?? null;
  const now = nearestColumn(state.at.value, columns);
  const bar = (range: readonly [number, number], name: string) => {
    const stretch = stretchOf(range, columns);
    return <span class={`span-${name}`} style={{ left: `${stretch.from * each}px`, width: `${(stretch.to - stretch.from) * each}px` }} />;
  };
  return (
    <div class="evidence">
      <figure class="strip">
        <div class="gutter" style={{ width: `${GUTTER_PX}px`, height: `${2 * row}px` }} aria-hidden="true">
          <span>right eye</span>
          <span>left eye</span>
        </div>
        <div>
          <div
            class="film"
            style={{ width: `${columns.length * each}px`, height: `${2 * row}px` }}
            onPointerDown={(event) => {
              event.currentTarget.setPointerCapture(event.pointerId);
              state.at.value = frameAt(event);
              if (state.phase.value === "asked") hold(frameAt(event));
            }}
            onPointerMove={(event) => {
              state.at.value = frameAt(event);
              if (held === null || state.at.value === held) return;
              state.first.value = Math.min(held, state.at.value);
              state.last.value = Math.max(held, state.at.value);
            }}
            onPointerUp={() => hold(null)}
          >
            <img src={source} width={columns.length * each} height={2 * row} alt={`Both eyes in frames ${columns[0]} to ${columns.at(-1)}, the subject’s right eye above the left`} />
            {mine !== null && bar(mine, "mine")}
            {against !== null && bar(against, "against")}
            <span class="under-loupe" style={{ left: `${now * each}px`, width: `${each}px` }} />
          </div>
          <ol class="numbers" aria-hidden="true">
            {columns.map((frame) => (
              <li key={frame} style={{ width: `${each}px` }} class={mine !== null && frame >= mine[0] && frame <= mine[1] ? "inside" : undefined}>
                {each >= 34 || (frame - (columns[0] ?? 0)) % 4 === 0 ? frame : ""}
              </li>
            ))}
          </ol>
        </div>
      </figure>
      <Curve curve={layout} frames={mine ?? [-1, -1]} columnWidth={each} gutter={GUTTER_PX} />
      <figure class="enlarged" aria-label={`Frame ${state.at.value}, enlarged`}>
        {[0, 1].map((eye) => (
          <div key={eye}>
            <div class="pane" style={{ width: `${tile[0] * ENLARGED}px`, height: `${tile[1] * ENLARGED}px` }}>
              <img
              src={source}
              alt=""
              width={columns.length * tile[0] * ENLARGED}
              style={{ marginLeft: `${-now * tile[0] * ENLARGED}px`, marginTop: `${-eye * tile[1] * ENLARGED}px` }}
              />
            </div>
            <figcaption class="quiet">
              {eye === 0 ? "right eye" : "left eye"}, frame {state.at.value}
            </figcaption>
          </div>
        ))}
      </figure>
    </div>
  );
}
