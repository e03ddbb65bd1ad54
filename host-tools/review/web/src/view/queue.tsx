import { useEffect, useRef } from "preact/hooks";
import * as format from "../format";
import type { Label, LabelState } from "../model";
import { currentId, labels, show } from "../session";

export const STATE_MARK: Record<LabelState, string> = { waiting: "○", accepted: "✓", corrected: "✎", rejected: "✕" };

export function Queue() {
  return (
    <nav class="queue" aria-label="Candidate events in time order">
      <ol>
        {labels.value.map((label) => (
          <Row key={label.id} label={label} here={label.id === currentId.value} />
        ))}
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
