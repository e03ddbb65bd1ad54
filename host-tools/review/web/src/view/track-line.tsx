import { useRef } from "preact/hooks";
import { measured, retime, span, track } from "../editor";
import * as format from "../format";
import { frame, picturesHere } from "../material";
import type { Label } from "../model";
import { clip } from "../session";
import { BOUND_PX, departures } from "../track";
import { useSize } from "./size";

const HEIGHT_PX = 44;
const KEY_PX = 7;
/** Frames shown before and after the label, as a share of its length: room to extend it into. */
const MARGIN = 0.06;

/** The label's keyframes on a line: to go to, to drag, and to see where the rig would not agree. */
export function TrackLine({ label }: { label: Label }) {
  const box = useRef<HTMLDivElement>(null);
  const { width } = useSize(box);
  const now = track.value;
  const [first, last] = span.value;
  const margin = Math.max(Math.round((last - first) * MARGIN), 3);
  const from = Math.max(first - margin, 0);
  const to = Math.min(last + margin, (clip.value?.frames ?? Number.MAX_SAFE_INTEGER) - 1);
  const each = width / (to - from + 1);
  const x = (at: number) => (at - from + 0.5) * each;
  const frameAt = (event: PointerEvent, element: Element) =>
    Math.min(Math.max(from + Math.floor((event.clientX - element.getBoundingClientRect().left) / each), from), to);
  const left = now === null || measured.value === null ? [] : departures(now, measured.value, [first, last]);
  const bound = now === null || now.form === "line" ? null : BOUND_PX[now.form];
  return (
    <div class="track-line" ref={box}>
      {width > 0 && now !== null && (
        <svg
          width={width}
          height={HEIGHT_PX}
          role="group"
          aria-label={`${now.keys.length} keyframes in frames ${format.frames(span.value)}`}
          onPointerDown={(event) => {
            event.currentTarget.setPointerCapture(event.pointerId);
            frame.value = frameAt(event, event.currentTarget);
          }}
          onPointerMove={(event) => {
            if (event.currentTarget.hasPointerCapture(event.pointerId)) frame.value = frameAt(event, event.currentTarget);
          }}
        >
          <rect class="extent" x={x(first) - each / 2} y="12" width={(last - first + 1) * each} height="16" />
          {left.map(([a, b]) => (
            <rect key={a} class="left-rig" x={x(a) - each / 2} y="12" width={(b - a + 1) * each} height="16">
              <title>{`frames ${format.frames([a, b])}: more than ${bound} px from what the rig measured`}</title>
            </rect>
          ))}
          {picturesHere.value.map((one) => (
            <line key={one.id} class="has-picture" x1={x(one.frame)} x2={x(one.frame)} y1="2" y2="10" />
          ))}
          <line class="cursor" x1={x(frame.value)} x2={x(frame.value)} y1="0" y2={HEIGHT_PX - 10} />
          {now.keys.map((key) => (
            <path
              key={key.frame}
              class={key.frame === frame.value ? "key here" : "key"}
              data-frame={key.frame}
              d={`M${x(key.frame)} ${20 - KEY_PX}l${KEY_PX} ${KEY_PX}l${-KEY_PX} ${KEY_PX}l${-KEY_PX} ${-KEY_PX}z`}
              onPointerDown={(event) => {
                event.stopPropagation();
                event.currentTarget.setPointerCapture(event.pointerId);
                frame.value = key.frame;
              }}
              onPointerMove={(event) => {
                const line = event.currentTarget.ownerSVGElement;
                if (line === null || !event.currentTarget.hasPointerCapture(event.pointerId)) return;
                const at = frameAt(event, line);
                if (at !== frame.value && retime(frame.value, at)) frame.value = at;
              }}
            >
              <title>{`keyframe at ${key.frame}; drag it in time`}</title>
            </path>
          ))}
          <text class="number" x={x(first)} y={HEIGHT_PX - 2} text-anchor="middle">
            {first}
          </text>
          <text class="number" x={x(last)} y={HEIGHT_PX - 2} text-anchor="middle">
            {last}
          </text>
        </svg>
      )}
      <p class="quiet legend">
        ◆ keyframe, ╵ picture
        {left.length > 0 && (
          <span class="bad">
            {" "}
            · leaves what the rig measured by more than {bound} px at frames {left.map((range) => format.frames(range)).join(", ")}
          </span>
        )}
        {label.track === null ? "" : ` · track ${label.track}`}
      </p>
    </div>
  );
}
