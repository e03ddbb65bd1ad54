import { useEffect, useRef } from "preact/hooks";
import * as format from "../format";
import type { Label, LabelState } from "../model";
import { currentId, labels, show } from "../session";

export const STATE_MARK: Record<LabelState, string> = { waiting: "○", accepted: "✓", rejected: "✕" };

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
        <span class="what">
          {label.kind === "long-closure" && <span class="chip">long closure</span>}
          {label.event !== null && label.event.eyes !== "both" && <span class="chip">{label.event.eyes} eye</span>}
          {label.state !== "waiting" && (
            <span class="said">{label.cause === null ? label.state : `rejected: ${format.cause(label.cause)}`}</span>
          )}
          {label.state === "waiting" && <span class="unseen">waiting</span>}
        </span>
      </button>
    </li>
  );
}
