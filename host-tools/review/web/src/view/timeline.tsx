import * as format from "../format";
import type { Abstention, Label } from "../model";
import { clip, coverage, currentId, labels, show, told } from "../session";
import { framesIn, lookedAt, merged } from "../silence";

/** The whole clip on one line: events as ticks, and hatched what the rig did not look at. */
export function Timeline() {
  const here = clip.value;
  const ends = [...labels.value, ...coverage.value].map((one) => one.frames[1] + 1);
  const frames = Math.max(here?.frames ?? 0, ...ends, 1);
  const silent = framesIn(coverage.value);
  return (
    <section class="clip" aria-label="The clip">
      <div class="line">
        {merged(coverage.value).map((one) => (
          <Silence key={`${one.track ?? "-"} ${one.reason} ${one.frames[0]}`} of={one} frames={frames} />
        ))}
        {labels.value.map((label) => (
          <Tick key={label.id} label={label} frames={frames} here={label.id === currentId.value} />
        ))}
      </div>
      <p class="scale">
        <span>frame 0</span>
        <span>
          {lookedAt(told.value, silent, frames)}
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

function Silence({ of, frames }: { of: Abstention; frames: number }) {
  const text = `not looked at: ${format.words(of.reason)}, frames ${format.frames(of.frames)}`;
  const middle = (of.frames[0] + of.frames[1]) / 2 / frames;
  const side = middle < 0.2 ? "start" : middle > 0.8 ? "end" : "middle";
  return (
    <span
      class={`silence tip-${side}`}
      role="img"
      tabIndex={0}
      aria-label={text}
      data-tip={text}
      style={place(of.frames[0], of.frames[1], frames)}
    />
  );
}

function Tick({ label, frames, here }: { label: Label; frames: number; here: boolean }) {
  const text = `${format.words(label.kind)}, frames ${format.frames(label.frames)}, ${label.state}`;
  return (
    <button
      type="button"
      class={`tick ${label.state}`}
      // The queue is the way there by keyboard.
      tabIndex={-1}
      aria-label={text}
      aria-current={here ? "true" : undefined}
      title={text}
      style={place(label.frames[0], label.frames[1], frames)}
      onClick={() => show(label.id)}
    />
  );
}
