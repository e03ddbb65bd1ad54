import { useEffect, useRef } from "preact/hooks";
import { batch } from "@preact/signals";
import { places } from "../context";
import { brightness, canvasSize, draft, editing, gamma, handle, magnifier, measured, place, source, track, viewport, zoom } from "../editor";
import { centred, dragged, fit, type Handle, handleAt, handlePlaces, panned, type Place, shifted, toCanvas, type Viewport } from "../geometry";
import { formOf } from "../kinds";
import { frame, loaded } from "../material";
import type { Label } from "../model";
import { standing } from "../kinds";
import { apart, BOUND_PX, positionAt } from "../track";

interface Props {
  label: Label;
  width: number;
  height: number;
}

/** How near a handle must be touched, in CSS pixels; fingers are wider. */
const REACH_PX = { mouse: 9, touch: 22 };
const LOUPE_PX = 168;
const LOUPE_TIMES = 4;
/** From this zoom on the picture itself shows more than a magnifier would: canvas pixels a source pixel. */
const NEAR_ENOUGH = 5;

/** The picture with what is said of it, to be looked at closely and changed. */
export function PictureCanvas({ label, width, height }: Props) {
  const form = formOf(label.kind);
  const placed = form === "box" || form === "point";
  const canvas = useRef<HTMLCanvasElement>(null);
  const pointers = useRef(new Map<number, Place>());
  const drag = useRef<{ what: Handle | "pan" } | null>(null);
  useEffect(() => {
    canvasSize.value = [width, height];
  }, [width, height]);
  const view = viewport.value ?? fit([width, height], source.value);
  const picture = loaded.value !== null && loaded.value !== "none" ? loaded.value.picture.image : null;

  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (context == null) return;
    const dense = window.devicePixelRatio || 1;
    context.setTransform(dense, 0, 0, dense, 0, 0);
    context.clearRect(0, 0, width, height);
    if (picture === null) return;
    const [x, y] = toCanvas(view, [0, 0]);
    context.imageSmoothingQuality = "high";
    context.drawImage(picture, x, y, source.value[0] * view.scale, source.value[1] * view.scale);
  }, [picture, view.scale, view.left, view.top, width, height, source.value]);

  const at = (event: PointerEvent | WheelEvent): Place => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const begin = (event: PointerEvent) => {
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
    const where = at(event);
    pointers.current.set(event.pointerId, where);
    const now = track.value;
    const reach = event.pointerType === "touch" ? REACH_PX.touch : REACH_PX.mouse;
    if (!placed || now === null || pointers.current.size > 1) {
      drag.current = { what: "pan" };
      return;
    }
    const here = positionAt(now, frame.value);
    const hit = now.form === "box" ? handleAt(view, here, where, reach) : near(view, here, where, reach + 6) ? "all" : null;
    drag.current = { what: hit ?? "pan" };
    if (hit !== null) batch(() => {
      handle.value = hit;
      editing.value = true;
    });
  };
  const go = (event: PointerEvent) => {
    const before = pointers.current.get(event.pointerId);
    if (before === undefined || drag.current === null) return;
    const where = at(event);
    const others = [...pointers.current].filter(([id]) => id !== event.pointerId).map(([, one]) => one);
    pointers.current.set(event.pointerId, where);
    const by: Place = [where[0] - before[0], where[1] - before[1]];
    const other = others[0];
    if (other !== undefined) {
      const [was, is] = [before, where].map(([x, y]) => Math.hypot(x - other[0], y - other[1]));
      if (was !== undefined && is !== undefined && was > 0) zoom(is / was, [(where[0] + other[0]) / 2, (where[1] + other[1]) / 2]);
      return;
    }
    if (drag.current.what === "pan") {
      viewport.value = panned(view, by, [width, height], source.value);
      return;
    }
    const now = track.value;
    if (now === null) return;
    const step: Place = [by[0] / view.scale, by[1] / view.scale];
    const here = positionAt(now, frame.value);
    place(now.form === "box" ? dragged(here, drag.current.what, step, source.value) : shifted(here, step, source.value));
  };
  const end = (event: PointerEvent) => {
    pointers.current.delete(event.pointerId);
    if (pointers.current.size === 0) drag.current = null;
  };
  const dense = window.devicePixelRatio || 1;
  return (
    <div class="picture" style={{ width: `${width}px`, height: `${height}px` }}>
      <svg class="unseen" aria-hidden="true">
        <filter id="lift" color-interpolation-filters="sRGB">
          <feComponentTransfer>
            {(["R", "G", "B"] as const).map((channel) => {
              const Function = `feFunc${channel}` as "feFuncR";
              return <Function key={channel} type="gamma" exponent={1 / gamma.value} amplitude={1} offset={0} />;
            })}
          </feComponentTransfer>
        </filter>
      </svg>
      <canvas
        ref={canvas}
        width={Math.round(width * dense)}
        height={Math.round(height * dense)}
        style={{ width: `${width}px`, height: `${height}px`, filter: filterOf() }}
        role="img"
        aria-label={`The picture of frame ${frame.value}`}
      />
      {picture === null && <p class="quiet no-picture">{loaded.value === "none" ? "No picture of this frame." : "Fetching the picture …"}</p>}
      <svg
        class="over"
        width={width}
        height={height}
        data-scale={view.scale.toFixed(4)}
        onPointerDown={begin}
        onPointerMove={go}
        onPointerUp={end}
        onPointerCancel={end}
        onWheel={(event) => {
          event.preventDefault();
          zoom(event.deltaY < 0 ? 1.2 : 1 / 1.2, at(event));
        }}
      >
        <Others label={label} view={view} placed={placed} />
        {placed && <Own view={view} />}
      </svg>
      {placed && magnifier.value && picture !== null && aimed() && view.scale < NEAR_ENOUGH && <Magnifier image={picture} beneath={view.scale} />}
    </div>
  );
}

/** Of a whole box there is nothing to aim at. */
function aimed(): boolean {
  return track.value?.form === "point" || (track.value !== null && editing.value && handle.value !== "all");
}

function filterOf(): string {
  const parts = [brightness.value === 1 ? "" : `brightness(${brightness.value})`, gamma.value === 1 ? "" : "url(#lift)"];
  return parts.filter((part) => part !== "").join(" ") || "none";
}

function near(view: Viewport, point: readonly number[], at: Place, reach: number): boolean {
  const [x, y] = toCanvas(view, [point[0] ?? 0, point[1] ?? 0]);
  return Math.hypot(x - at[0], y - at[1]) <= reach;
}

function corners(view: Viewport, [x = 0, y = 0, w = 0, h = 0]: readonly number[]) {
  const [left, top] = toCanvas(view, [x, y]);
  return { x: left, y: top, width: w * view.scale, height: h * view.scale };
}

/** What else is said of this frame: whose face or person it is, and where the eyes are. */
function Others({ label, view, placed }: { label: Label; view: Viewport; placed: boolean }) {
  const at = frame.value;
  const here = places.value.filter(({ label: one }) => {
    const { frames } = standing(one);
    return one.id !== label.id && at >= frames[0] && at <= frames[1] && !(placed && one.kind === label.kind && one.track === label.track);
  });
  return (
    <g class="others">
      {here.map(({ label: one, track: where }) => {
        const place = positionAt(where, at);
        const mine = label.track === null || one.track === label.track;
        if (where.form === "point") {
          const [x, y] = toCanvas(view, [place[0] ?? 0, place[1] ?? 0]);
          return <circle key={one.id} class={mine ? "mine" : undefined} cx={x} cy={y} r="3" />;
        }
        const box = corners(view, place);
        return (
          <g key={one.id} class={mine ? "mine" : undefined}>
            <rect {...box} />
            <text x={box.x + 4} y={Math.max(box.y, 0) + 14}>
              track {one.track}
              {one.driver === true ? " · driver" : ""}
            </text>
          </g>
        );
      })}
    </g>
  );
}

/** The label itself, with its handles; where it left what the rig measured, that as well. */
function Own({ view }: { view: Viewport }) {
  const now = track.value;
  if (now === null) return null;
  const place = positionAt(now, frame.value);
  const rig = measured.value === null ? null : positionAt(measured.value, frame.value);
  const left = rig !== null && apart(now.form, place, rig) > BOUND_PX[now.form];
  const changed = draft.value?.of === "track";
  if (now.form === "point") {
    const [x, y] = toCanvas(view, [place[0] ?? 0, place[1] ?? 0]);
    const ghost = rig === null ? null : toCanvas(view, [rig[0] ?? 0, rig[1] ?? 0]);
    return (
      <g class={changed ? "own changed" : "own"}>
        {left && ghost !== null && <path class="ghost" d={cross(ghost, 9)} />}
        <path class="halo" d={cross([x, y], 13)} />
        <path class="stroke" d={cross([x, y], 13)} />
        <circle class="ring" cx={x} cy={y} r="7" />
      </g>
    );
  }
  return (
    <g class={changed ? "own changed" : "own"}>
      {left && rig !== null && <rect class="ghost" {...corners(view, rig)} />}
      <rect class="halo" {...corners(view, place)} />
      <rect class="stroke" {...corners(view, place)} />
      {(Object.entries(handlePlaces(place)) as [Handle, Place][]).map(([name, where]) => {
        const [x, y] = toCanvas(view, where);
        return <rect key={name} class={handle.value === name && editing.value ? "handle held" : "handle"} data-handle={name} x={x - 4.5} y={y - 4.5} width="9" height="9" />;
      })}
    </g>
  );
}

function cross([x, y]: Place, arm: number): string {
  return `M${x - arm} ${y}H${x - 3}M${x + 3} ${y}H${x + arm}M${x} ${y - arm}V${y - 3}M${x} ${y + 3}V${y + arm}`;
}

/** Enlarged: what is taken hold of, with a cross on it. */
function Magnifier({ image, beneath }: { image: HTMLImageElement; beneath: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const now = track.value;
  const place = now === null ? [0, 0] : positionAt(now, frame.value);
  const held: Place =
    now?.form === "box" && handle.value !== "all"
      ? handlePlaces(place)[handle.value]
      : [(place[0] ?? 0) + (place[2] ?? 0) / 2, (place[1] ?? 0) + (place[3] ?? 0) / 2];
  // Always nearer than the picture beneath.
  const view = centred(held, LOUPE_TIMES * beneath, [LOUPE_PX, LOUPE_PX], source.value);
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (context == null) return;
    context.clearRect(0, 0, LOUPE_PX, LOUPE_PX);
    const [x, y] = toCanvas(view, [0, 0]);
    context.imageSmoothingQuality = "high";
    context.drawImage(image, x, y, source.value[0] * view.scale, source.value[1] * view.scale);
  }, [image, view.left, view.top, view.scale]);
  const [x, y] = toCanvas(view, held);
  return (
    <div class="magnifier" aria-hidden="true">
      <canvas ref={canvas} width={LOUPE_PX} height={LOUPE_PX} style={{ filter: filterOf() }} />
      <svg width={LOUPE_PX} height={LOUPE_PX}>
        {now?.form === "box" && <rect class="stroke" {...corners(view, place)} />}
        <path class="aim" d={cross([x, y], 22)} />
      </svg>
    </div>
  );
}

