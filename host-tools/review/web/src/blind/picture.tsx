import { useState } from "preact/hooks";
import { centred, fit, type Place, toCanvas, toSource, type Viewport } from "../geometry";
import { formOf, standing } from "../kinds";
import { fromValue, positionAt } from "../track";
import * as state from "./look";

/** A key picture on which a box or a point is marked; yes, no and levels are only looked at. */
export function MarkedPicture({ width, height }: { width: number; height: number }) {
  const [from, begin] = useState<Place | null>(null);
  const [asked, shown] = [state.look.value, state.picture.value];
  if (asked === null) return null;
  if (shown === null) return <p class="quiet waiting-evidence">No picture of these frames has arrived.</p>;
  const form = formOf(asked.kind);
  const placed = form === "box" || form === "point";
  const canvas = [width, height] as const;
  const whole = fit(canvas, shown.of);
  const view = state.zoom.value === 1 ? whole : centred(state.aim.value, whole.scale * state.zoom.value, canvas, shown.of);
  const open = placed && state.phase.value === "asked";
  const source = (event: PointerEvent): readonly [number, number] => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    const [x, y] = toSource(view, [event.clientX - box.left, event.clientY - box.top]);
    return [Math.min(Math.max(x, 0), shown.of[0]), Math.min(Math.max(y, 0), shown.of[1])];
  };
  const [left, top] = toCanvas(view, [0, 0]);
  return (
    <div class="picture" style={{ width: `${width}px`, height: `${height}px` }}>
      <img
        src={`api/pictures/${encodeURIComponent(shown.id)}.jpg`}
        alt={`The picture of frame ${shown.frame}`}
        style={{ left: `${left}px`, top: `${top}px`, width: `${shown.of[0] * view.scale}px`, height: `${shown.of[1] * view.scale}px` }}
      />
      <svg
        class="over"
        width={width}
        height={height}
        onPointerDown={(event) => {
          if (!open) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          const at = source(event);
          state.aim.value = at;
          if (form === "point") state.marked.value = at;
          else begin(at);
        }}
        onPointerMove={(event) => {
          if (!open || from === null) return;
          state.aim.value = source(event);
          state.markBox([from[0], from[1]], state.aim.value);
        }}
        onPointerUp={() => begin(null)}
      >
        <Others view={view} frame={shown.frame} />
        <Against view={view} frame={shown.frame} />
        {state.marked.value !== null && <Shape view={view} at={state.marked.value} kind="own" />}
        {open && <Cross view={view} />}
      </svg>
    </div>
  );
}

function Shape({ view, at: [x = 0, y = 0, w, h], kind }: { view: Viewport; at: readonly number[]; kind: string }) {
  const [left, top] = toCanvas(view, [x, y]);
  if (w === undefined || h === undefined) return <circle class={kind} cx={left} cy={top} r="7" />;
  return <rect class={kind} x={left} y={top} width={w * view.scale} height={h * view.scale} />;
}

/** Where keys point, and the box they are about to make. */
function Cross({ view }: { view: Viewport }) {
  const [x, y] = toCanvas(view, state.aim.value);
  const from = state.corner.value;
  const a = state.aim.value;
  return (
    <>
      {from !== null && (
        <Shape view={view} at={[Math.min(from[0], a[0]), Math.min(from[1], a[1]), Math.abs(from[0] - a[0]), Math.abs(from[1] - a[1])]} kind="making" />
      )}
      <path class="cross" d={`M${x - 16} ${y}H${x - 3}M${x + 3} ${y}H${x + 16}M${x} ${y - 16}V${y - 3}M${x} ${y + 3}V${y + 16}`} />
    </>
  );
}

/** What the answer is held against, once there is one. */
function Against({ view, frame }: { view: Viewport; frame: number }) {
  const against = state.look.value?.answer?.against;
  const track = fromValue(against?.value ?? null);
  return track === null ? null : <Shape view={view} at={positionAt(track, frame)} kind="against" />;
}

/** Who is who: other people, and what else is known of the one who is meant. */
function Others({ view, frame }: { view: Viewport; frame: number }) {
  const meant = state.look.value?.track;
  return (
    <g class="others">
      {state.others.value.map((label) => {
        const { frames, value } = standing(label);
        const track = fromValue(value);
        if (track === null || label.state === "rejected" || frame < frames[0] || frame > frames[1]) return null;
        const place = positionAt(track, frame);
        const [x, y] = toCanvas(view, [place[0] ?? 0, place[1] ?? 0]);
        return (
          <g key={label.id} class={label.track === meant ? "mine" : undefined}>
            <Shape view={view} at={place} kind="other" />
            {track.form === "box" && (
              <text x={x + 4} y={Math.max(y, 0) + 14}>
                track {label.track}
              </text>
            )}
          </g>
        );
      })}
    </g>
  );
}
