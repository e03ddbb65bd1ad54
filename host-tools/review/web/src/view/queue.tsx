import { useEffect, useRef } from "preact/hooks";
import * as format from "../format";
import { interleaved } from "../marks";
import type { Label, LabelState, Mark } from "../model";
import { currentId, labels, markAt, marks, show, showMark } from "../session";

export const STATE_MARK: Record<LabelState, string> = { waiting: "○", accepted: "✓", corrected: "✎", rejected: "✕" };

export function Queue() {
  return (
    <nav class="queue" aria-label="Candidate events and marked moments in time order">
      <ol>
        {interleaved(labels.value, marks.value).map((one, i) =>
          "id" in one ? (
            <Row key={one.id} label={one} here={one.id === currentId.value} />
          ) : (
            <Moment key={`mark ${one.frame} ${i}`} mark={one} here={one.frame === markAt.value?.frame} />
          ),
        )}
      </ol>
    </nav>
  );
}

function Row({ label, here }: { label: Label; here: boolean }) {
  const row = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (here) row.current?.scrollIntoView({ block: "nearest" });
  }, [here]);
  const share = label.confidence;
  return (
    <li>
      <button
        ref={row}
        type="button"
        class={`row ${label.state}`}
        aria-current={here ? "true" : undefined}
        onClick={() => show(label.id)}
      >
        <span class="mark" aria-hidden="true">
          {STATE_MARK[label.state]}
        </span>
        <span class="time">{format.time(label.pts_us[0])}</span>
        <span class="frames">{format.frames(label.frames)}</span>
        <span class="sure">{share === null ? "–" : format.percent(share)}</span>
        <span class="unseen">{label.state}</span>
        <Extra label={label} />
      </button>
    </li>
  );
}

function Moment({ mark, here }: { mark: Mark; here: boolean }) {
  return (
    <li>
      <button type="button" class="moment" aria-current={here ? "true" : undefined} onClick={() => showMark(mark)}>
        <span class="mark" aria-hidden="true">
          ⚑
        </span>
        <span class="time">{format.moment(mark.pts_us)}</span>
        <span class="what">marked at the rig</span>
      </button>
    </li>
  );
}

/** A second line, for what is out of the ordinary. */
function Extra({ label }: { label: Label }) {
  const oneEye = label.event !== null && label.event.eyes !== "both" ? `${label.event.eyes} eye` : null;
  const long = label.kind === "long-closure";
  const said = label.cause === null ? null : format.cause(label.cause);
  if (oneEye === null && !long && said === null) return null;
  return (
    <span class="what">
      {said !== null && <span class="said">{said}</span>}
      {long && <span class="chip">long closure</span>}
      {oneEye !== null && <span class="chip">{oneEye}</span>}
    </span>
  );
}
