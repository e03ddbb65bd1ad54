import * as format from "../format";
import { markText } from "../marks";
import type { Abstention, Label, Mark } from "../model";
import { contextTold, coverage } from "../context";
import { formOf, standing, TITLE } from "../kinds";
import { clip, current, currentId, labels, markAt, marks, show, showMark } from "../session";
import { framesIn, lookedAt, merged } from "../silence";

/** The whole clip on one line: events as ticks, marked moments as flags, and hatched what the rig did not look at. */
export function Timeline() {
  const here = clip.value;
  // Of the shown kind: ticks of ten kinds upon each other would say nothing.
  const ticks = labels.value.filter((one) => one.clip === here?.id && one.kind === (current.value?.kind ?? one.kind));
  const ends = [...ticks, ...coverage.value].map((one) => one.frames[1] + 1);
  const marked = marks.value.map((mark) => mark.frame + 1);
  const frames = Math.max(here?.frames ?? 0, ...ends, ...marked, 1);
  const silent = framesIn(coverage.value);
  return (
    <section class="clip" aria-label="The clip">
      <div class="line">
        {merged(coverage.value).map((one) => (
          <Silence key={`${one.track ?? "-"} ${one.reason} ${one.frames[0]}`} of={one} frames={frames} />
        ))}
        {ticks.map((label) => (
          <Tick key={label.id} label={label} frames={frames} here={label.id === currentId.value} />
        ))}
        {marks.value.map((mark, i) => (
          <Flag key={`${mark.frame} ${i}`} mark={mark} frames={frames} here={mark.frame === markAt.value?.frame} />
        ))}
      </div>
      <p class="scale">
        <span>frame 0</span>
        <span>
          {current.value !== null && `${TITLE[current.value.kind]}: `}
          {formOf(current.value?.kind ?? "blink") === "line" ? "rigs look for none" : lookedAt(contextTold.value, silent, frames)}
        </span>
        <span>
          {here?.frames === null ? "so far " : ""}
          {format.count(frames)} frames{here?.nominal_fps != null && `, ${Math.round(here.nominal_fps * 100) / 100} a second`}
        </span>
      </p>
    </section>
  );
}

function place(first: number, last: number, frames: number) {
  return { left: `${(100 * first) / frames}%`, width: `${(100 * (last - first + 1)) / frames}%` };
}

/** A tip at the line's end must not hang over the page's. */
function tip(share: number) {
  return `tip-${share < 0.2 ? "start" : share > 0.8 ? "end" : "middle"}`;
}

function Flag({ mark, frames, here }: { mark: Mark; frames: number; here: boolean }) {
  const text = markText(mark);
  const share = (mark.frame + 0.5) / frames;
  return (
    <button
      type="button"
      class={`flag ${tip(share)}`}
      // The queue is the way there by keyboard.
      tabIndex={-1}
      aria-label={text}
      aria-current={here ? "true" : undefined}
      data-tip={text}
      style={{ left: `${100 * share}%` }}
      onClick={() => showMark(mark)}
    />
  );
}

function Silence({ of, frames }: { of: Abstention; frames: number }) {
  const text = `not looked at: ${format.reason(of.reason)}, frames ${format.frames(of.frames)}`;
  return (
    <span
      class={`silence ${tip((of.frames[0] + of.frames[1]) / 2 / frames)}`}
      role="img"
      tabIndex={0}
      aria-label={text}
      data-tip={text}
      style={place(of.frames[0], of.frames[1], frames)}
    />
  );
}

function Tick({ label, frames, here }: { label: Label; frames: number; here: boolean }) {
  const { frames: stands } = standing(label);
  const text = `${TITLE[label.kind]}, frames ${format.frames(stands)}, ${label.state}`;
  return (
    <button
      type="button"
      class={`tick ${formOf(label.kind) === "event" ? "" : "range "}${label.state}`}
      // The queue is the way there by keyboard.
      tabIndex={-1}
      aria-label={text}
      aria-current={here ? "true" : undefined}
      title={text}
      style={place(stands[0], stands[1], frames)}
      onClick={() => show(label.id)}
    />
  );
}
