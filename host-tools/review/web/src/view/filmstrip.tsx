import type { LoadedEvidence } from "../evidence";
import * as format from "../format";
import { column } from "../material";
import type { FrameRange } from "../model";
import { frameOf, numberEvery, placeOf, stretchOf } from "../strip";
import { Edges } from "./edges";

interface Props {
  evidence: LoadedEvidence;
  /** Of the event, as edited. */
  frames: FrameRange;
  columnWidth: number;
  gutter: number;
}

/** Widest frame number with a little air, in CSS pixels. */
const NUMBER_PX = 40;

export function Filmstrip({ evidence: { curve, picture }, frames, columnWidth, gutter }: Props) {
  const { columns, tile } = curve;
  const width = columns.length * columnWidth;
  const row = (columnWidth * tile[1]) / tile[0];
  const event = stretchOf(frames, columns);
  const every = numberEvery(columnWidth, NUMBER_PX);
  const pick = (mouse: MouseEvent) => {
    const box = (mouse.currentTarget as HTMLElement).getBoundingClientRect();
    const at = Math.floor((mouse.clientX - box.left) / columnWidth);
    column.value = Math.min(Math.max(at, 0), columns.length - 1);
  };
  return (
    <figure class="strip">
      <div class="gutter" style={{ width: `${gutter}px`, height: `${2 * row}px` }} aria-hidden="true">
        <span>right eye</span>
        <span>left eye</span>
      </div>
      <div>
        <div class="film" style={{ width: `${width}px`, height: `${2 * row}px` }} onMouseMove={pick} onClick={pick}>
          <img
            src={picture}
            width={width}
            height={2 * row}
            alt={
              `Both eyes in frames ${columns[0] ?? 0} to ${columns.at(-1) ?? 0}, the subject's right eye above the left; ` +
              `the event is marked at frames ${format.frames(frames)}`
            }
          />
          <span class="event" style={{ left: `${event.from * columnWidth}px`, width: `${(event.to - event.from) * columnWidth}px` }} />
          <Edges
            frames={frames}
            place={(frame) => placeOf(frame, columns) * columnWidth}
            frameAt={(x) => frameOf(x / columnWidth, columns)}
            height={2 * row}
            within={[columns[0] ?? 0, columns.at(-1) ?? 0]}
          />
          <span class="under-loupe" style={{ left: `${column.value * columnWidth}px`, width: `${columnWidth}px` }} />
        </div>
        <ol class="numbers" aria-hidden="true">
          {columns.map((frame, i) => {
            const inside = frame >= frames[0] && frame <= frames[1];
            const end = inside && (i === event.from || i === event.to - 1);
            return (
              <li key={frame} style={{ width: `${columnWidth}px` }} class={end ? "end" : inside ? "inside" : undefined}>
                {end || (i % every === 0 && farFromEnds(i, event.from, event.to - 1, every)) ? frame : ""}
              </li>
            );
          })}
        </ol>
      </div>
    </figure>
  );
}

/** The ends of the event are always written; other numbers keep clear of them. */
function farFromEnds(i: number, first: number, last: number, every: number): boolean {
  return Math.abs(i - first) >= every && Math.abs(i - last) >= every;
}
