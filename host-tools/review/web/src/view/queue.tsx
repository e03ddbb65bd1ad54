import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import * as format from "../format";
import { formOf, isMade, standing, TITLE, valueText } from "../kinds";
import { heldByOthers } from "../leases";
import { interleaved } from "../marks";
import type { Label, LabelState, Mark } from "../model";
import { selectTo, toggleSelected } from "../judging";
import { clip, currentId, filter, labels, markAt, marks, selected, show, showMark, told, total } from "../session";
import { Filters } from "./filters";

export const STATE_MARK: Record<LabelState, string> = {
  waiting: "○",
  accepted: "✓",
  corrected: "✎",
  rejected: "✕",
  created: "+",
  removed: "−",
};

export function Queue() {
  // Marks stand among the labels where these are in time order and of the clip whose marks are known.
  const withMarks = filter.value.order === "time" && filter.value.clip !== null && filter.value.clip === clip.value?.id;
  const row = useRows();
  return (
    <nav class="queue" aria-label="Labels to review">
      <Filters />
      <ol>
        {interleaved(labels.value, withMarks ? marks.value : []).map((one, i) =>
          "id" in one ? (
            row(one, one.id === currentId.value, selected.value.has(one.id))
          ) : (
            <Moment key={`mark ${one.frame} ${i}`} mark={one} here={one.frame === markAt.value?.frame} />
          ),
        )}
      </ol>
      {told.value && labels.value.length < total.value && (
        <p class="more quiet">
          the first {format.count(labels.value.length)} of {format.count(total.value)}; the rest follow as you go on
        </p>
      )}
    </nav>
  );
}

/** Rows that did not change are given as they were: a verdict in a queue of thousands draws two of them anew. */
function useRows(): (label: Label, here: boolean, chosen: boolean) => VNode {
  const drawn = useRef(new WeakMap<Label, { here: boolean; chosen: boolean; row: VNode }>());
  return (label, here, chosen) => {
    const known = drawn.current.get(label);
    if (known?.here === here && known.chosen === chosen) return known.row;
    const row = <Row key={label.id} label={label} here={here} chosen={chosen} />;
    drawn.current.set(label, { here, chosen, row });
    return row;
  };
}

function Row({ label, here, chosen }: { label: Label; here: boolean; chosen: boolean }) {
  const row = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (here) row.current?.scrollIntoView({ block: "nearest" });
  }, [here]);
  const share = label.confidence;
  const holder = heldByOthers.value.get(label.id);
  const { frames } = standing(label);
  return (
    <li>
      <button
        ref={row}
        type="button"
        class={`row ${label.state}${chosen ? " chosen" : ""}`}
        aria-current={here ? "true" : undefined}
        onClick={(event) => {
          if (event.shiftKey) selectTo(label.id);
          else if (event.ctrlKey || event.metaKey) toggleSelected(label.id);
          else show(label.id);
        }}
      >
        <span class="mark" aria-hidden="true">
          {chosen ? "■" : STATE_MARK[label.state]}
        </span>
        <span class="time">{format.time(label.pts_us[0])}</span>
        <span class="frames">{format.frames(frames)}</span>
        <span class="sure">{share === null ? "–" : format.percent(share)}</span>
        <span class="unseen">
          {label.state}
          {chosen ? ", selected" : ""}
        </span>
        {holder !== undefined && <span class="chip">{holder}</span>}
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

/** A second line: the kind and its value, and what was said of it. Plain blinks need none. */
function Extra({ label }: { label: Label }) {
  const said = label.cause === null ? null : format.cause(label.cause);
  const value = valueText(standing(label).value);
  const plain = label.kind === "blink" && value === "" && label.state !== "created" && label.state !== "removed";
  if (plain && said === null) return null;
  const form = formOf(label.kind);
  return (
    <span class="what">
      {said !== null && <span class="said">{said}</span>}
      {!plain && (
        <span class="kind">
          {TITLE[label.kind]}
          {form === "flag" || form === "level" ? ":" : ""}
        </span>
      )}
      {value !== "" && (form === "event" ? <span class="chip">{value}</span> : <span>{value}</span>)}
      {label.driver === true && <span class="chip">driver</span>}
      {isMade(label) && <span class="chip">{label.state === "removed" ? "removed" : "made here"}</span>}
    </span>
  );
}
