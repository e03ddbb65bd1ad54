import { useEffect, useRef } from "preact/hooks";
import { batch } from "@preact/signals";
import { places } from "../context";
import { brightness, canvasSize, draft, editing, form, gamma, handle, magnifier, measured, newLine, place, source, track, viewport, zoom } from "../editor";
import { centred, closeUp, dragged, fit, type Handle, handleAt, handlePlaces, isSeen, panned, type Place, shifted, toCanvas, toSource, type Viewport } from "../geometry";
import { isPlaced, standing, TITLE } from "../kinds";
import { boundsOf, moved, pointAt, pointsOf, sideAt } from "../line";
import { aim, aimAt, chosen, divide, drawing, endLine, lineHere, placePoint, setPoint, take } from "../line-editor";
import { frame, loaded } from "../material";
import type { Label } from "../model";
import { apart, BOUND_PX, isClosed, positionAt } from "../track";
import { cross, OwnLine, pathOf } from "./line-shape";

interface Props {
  label: Label;
  width: number;
  height: number;
}

/** How near a handle must be touched, in CSS pixels; fingers are wider. */
const REACH_PX = { mouse: 9, touch: 22 };
/** A pointer that moves less than this was pressed, not dragged. */
const STILL_PX = 4;
const LOUPE_PX = 168;
const LOUPE_TIMES = 4;
/** From this zoom on the picture itself shows more than a magnifier would: canvas pixels a source pixel. */
const NEAR_ENOUGH = 5;

/** The picture with what is said of it, to be looked at closely and changed. */
export function PictureCanvas({ label, width, height }: Props) {
  const placed = isPlaced(form.value);
  const canvas = useRef<HTMLCanvasElement>(null);
  const pointers = useRef(new Map<number, Place>());
  const drag = useRef<Drag | null>(null);
  useEffect(() => {
    canvasSize.value = [width, height];
  }, [width, height]);
  const view = viewport.value ?? fit([width, height], source.value);
  useCloseUp(label, width, height);
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

  const at = (event: MouseEvent): Place => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const begin = (event: PointerEvent) => {
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
    const where = at(event);
    pointers.current.set(event.pointerId, where);
    const now = track.value;
    const reach = event.pointerType === "touch" ? REACH_PX.touch : REACH_PX.mouse;
    const begun = { from: where, still: true };
    if (!placed || now === null || pointers.current.size > 1 || drawing.value !== null) {
      drag.current = { what: "pan", ...begun, still: pointers.current.size === 1 };
      return;
    }
    const line = lineHere.value;
    if (line !== null) {
      const point = pointAt(view, line.at, where, reach);
      const side = point === null ? sideAt(view, line, where, reach) : null;
      drag.current = { what: point !== null ? "vertex" : side !== null ? "line" : "pan", ...begun };
      if (point !== null || side !== null) take(point);
      return;
    }
    const here = positionAt(now, frame.value);
    const hit = now.form === "box" ? handleAt(view, here, where, reach) : near(view, here, where, reach + 6) ? "all" : null;
    drag.current = { what: hit ?? "pan", ...begun };
    if (hit !== null) batch(() => {
      handle.value = hit;
      editing.value = true;
    });
  };
  const go = (event: PointerEvent) => {
    const before = pointers.current.get(event.pointerId);
    // The cross follows the pointer, as it follows keys.
    if (drawing.value !== null && pointers.current.size === 0) aimAt(toSource(view, at(event)));
    if (before === undefined || drag.current === null) return;
    const where = at(event);
    const others = [...pointers.current].filter(([id]) => id !== event.pointerId).map(([, one]) => one);
    pointers.current.set(event.pointerId, where);
    const by: Place = [where[0] - before[0], where[1] - before[1]];
    const other = others[0];
    if (other !== undefined) {
      const [was, is] = [before, where].map(([x, y]) => Math.hypot(x - other[0], y - other[1]));
      drag.current.still = false;
      if (was !== undefined && is !== undefined && was > 0) zoom(is / was, [(where[0] + other[0]) / 2, (where[1] + other[1]) / 2]);
      return;
    }
    const { from, what } = drag.current;
    if (drag.current.still && (form.value === "line" || what === "pan") && Math.hypot(where[0] - from[0], where[1] - from[1]) < STILL_PX) return;
    drag.current.still = false;
    if (what === "pan") {
      viewport.value = panned(view, by, [width, height], source.value);
      return;
    }
    const now = track.value;
    if (now === null) return;
    if (what === "vertex") {
      if (chosen.value !== null) placePoint(chosen.value, toSource(view, where));
      return;
    }
    const step: Place = [by[0] / view.scale, by[1] / view.scale];
    const here = positionAt(now, frame.value);
    if (what === "line") place(moved(here, null, step, source.value));
    else place(now.form === "box" ? dragged(here, what, step, source.value) : shifted(here, step, source.value));
  };
  const end = (event: PointerEvent) => {
    pointers.current.delete(event.pointerId);
    if (pointers.current.size > 0) return;
    const pressed = drag.current?.still === true && event.type === "pointerup" && event.button === 0;
    drag.current = null;
    if (pressed && drawing.value !== null) drawAt(view, at(event), event.pointerType === "touch" ? REACH_PX.touch : REACH_PX.mouse);
  };
  const divideAt = (event: MouseEvent) => {
    const line = lineHere.value;
    if (line === null || drawing.value !== null || pointAt(view, line.at, at(event), REACH_PX.mouse) !== null) return;
    const side = sideAt(view, line, at(event), REACH_PX.mouse);
    if (side !== null) divide(side.side, side.place);
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
        class={drawing.value === null ? "over" : "over drawing"}
        width={width}
        height={height}
        data-scale={view.scale.toFixed(4)}
        onPointerDown={begin}
        onPointerMove={go}
        onPointerUp={end}
        onPointerCancel={end}
        onDblClick={divideAt}
        onWheel={(event) => {
          event.preventDefault();
          zoom(event.deltaY < 0 ? 1.2 : 1 / 1.2, at(event));
        }}
      >
        <Others label={label} view={view} placed={placed} />
        {placed && <Own view={view} name={TITLE[newLine.value?.kind ?? label.kind]} />}
      </svg>
      {placed && magnifier.value && picture !== null && aimed() && view.scale < NEAR_ENOUGH && <Magnifier image={picture} beneath={view.scale} />}
    </div>
  );
}

interface Drag {
  what: Handle | "pan" | "vertex" | "line";
  /** Where the pointer was pressed. */
  from: Place;
  /** It has not moved yet, as far as a hand can hold still. */
  still: boolean;
}

/** A press while a line is drawn: the next point, or on the first one the end. */
function drawAt(view: Viewport, where: Place, reach: number): void {
  const at = lineHere.value?.at ?? [];
  if (at.length >= 6 && pointAt(view, at.slice(0, 2), where, reach) === 0) endLine(true);
  else setPoint(toSource(view, where));
}

/** A line is shown from near, as far as the picture allows, and stays in sight from frame to frame. */
function useCloseUp(label: Label, width: number, height: number): void {
  const of = source.value.join("x");
  useEffect(() => {
    const line = lineHere.peek();
    if (line === null || newLine.peek() !== null || viewport.peek() !== null) return;
    viewport.value = closeUp(boundsOf(line.at), [width, height], source.peek());
  }, [label.id, width, height, of]);
  const at = frame.value;
  useEffect(() => {
    const [line, view] = [lineHere.peek(), viewport.peek()];
    if (line === null || view === null || drawing.peek() !== null || isSeen(view, boundsOf(line.at), [width, height])) return;
    const [x, y, w, h] = boundsOf(line.at);
    viewport.value = centred([x + w / 2, y + h / 2], view.scale, [width, height], source.peek());
  }, [at]);
}

/** Of a whole box or line there is nothing to aim at. */
function aimed(): boolean {
  if (track.value?.form === "line") return drawing.value !== null || chosen.value !== null;
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
    return (one.id !== label.id || newLine.value !== null) && at >= frames[0] && at <= frames[1] && !(placed && one.kind === label.kind && one.track === label.track);
  });
  return (
    <g class="others">
      {here.map(({ label: one, track: where }) => {
        const place = positionAt(where, at);
        const mine = label.track === null || one.track === label.track;
        if (where.form === "line") {
          return <path key={one.id} class={mine ? "line mine" : "line"} d={pathOf(view, place, isClosed(where))} />;
        }
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
function Own({ view, name }: { view: Viewport; name: string }) {
  const now = track.value;
  if (now === null) return null;
  const changed = draft.value?.of === "track" || newLine.value !== null;
  if (now.form === "line") {
    const offered = measured.value === null ? null : { at: positionAt(measured.value, frame.value), closed: isClosed(measured.value) };
    return <OwnLine view={view} changed={changed} offered={offered} name={name} />;
  }
  const place = positionAt(now, frame.value);
  const rig = measured.value === null ? null : positionAt(measured.value, frame.value);
  const left = rig !== null && apart(now.form, place, rig) > BOUND_PX[now.form];
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

/** Where what is taken hold of is, in the source. */
function heldPlace(place: readonly number[]): Place {
  const { value: now } = track;
  if (now?.form === "line") {
    const point = drawing.value !== null ? aim.value : chosen.value === null ? undefined : pointsOf(place)[chosen.value];
    return point ?? [0, 0];
  }
  if (now?.form === "box" && handle.value !== "all") return handlePlaces(place)[handle.value];
  return [(place[0] ?? 0) + (place[2] ?? 0) / 2, (place[1] ?? 0) + (place[3] ?? 0) / 2];
}

/** Enlarged: what is taken hold of, with a cross on it. */
function Magnifier({ image, beneath }: { image: HTMLImageElement; beneath: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const now = track.value;
  const place = now === null ? [0, 0] : positionAt(now, frame.value);
  const held = heldPlace(place);
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
        {now?.form === "line" && <path class="stroke" d={pathOf(view, place, isClosed(now))} />}
        <path class="aim" d={cross([x, y], 22)} />
      </svg>
    </div>
  );
}
