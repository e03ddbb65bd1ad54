// The picture on the canvas: what is seen of it, and how boxes and points are moved. *Source* pixels are those of the
// camera's image, in which labels are given; *canvas* pixels are CSS pixels of the editor.

export interface Viewport {
  /** Canvas pixels a source pixel. */
  scale: number;
  /** Source pixel at the canvas's upper left corner. */
  left: number;
  top: number;
}

export type Extent = readonly [width: number, height: number];
export type Place = readonly [x: number, y: number];

/** Of a box: what is taken hold of. `all` moves it; of a point there is nothing else. */
export const HANDLES = ["all", "nw", "n", "ne", "e", "se", "s", "sw", "w"] as const;
export type Handle = (typeof HANDLES)[number];

const MOST_ZOOM = 32;
/** Of the picture, this much stays in view however far it is panned: canvas pixels. */
const KEEP_PX = 40;
const SMALLEST_BOX_PX = 2;

/** The whole picture in the middle of the canvas. */
export function fit(canvas: Extent, source: Extent): Viewport {
  const scale = Math.min(canvas[0] / source[0], canvas[1] / source[1]);
  return { scale, left: (source[0] - canvas[0] / scale) / 2, top: (source[1] - canvas[1] / scale) / 2 };
}

/** Nearer or farther, with the place under the pointer staying under it. */
export function zoomed(view: Viewport, at: Place, factor: number, canvas: Extent, source: Extent): Viewport {
  const least = fit(canvas, source).scale;
  const scale = Math.min(Math.max(view.scale * factor, least), MOST_ZOOM);
  if (scale === least) return fit(canvas, source);
  const [x, y] = toSource(view, at);
  return kept({ scale, left: x - at[0] / scale, top: y - at[1] / scale }, canvas, source);
}

export function panned(view: Viewport, by: Place, canvas: Extent, source: Extent): Viewport {
  return kept({ ...view, left: view.left - by[0] / view.scale, top: view.top - by[1] / view.scale }, canvas, source);
}

/** Shows a place in the middle, this much enlarged. */
export function centred(on: Place, scale: number, canvas: Extent, source: Extent): Viewport {
  const least = fit(canvas, source).scale;
  const held = Math.min(Math.max(scale, least), MOST_ZOOM);
  return kept({ scale: held, left: on[0] - canvas[0] / held / 2, top: on[1] - canvas[1] / held / 2 }, canvas, source);
}

/** Of what is looked at closely, this many source pixels are shown around at least. */
const LEAST_LOOK_PX = 24;

/** Shows a box so that it takes about half of the canvas; where it does so anyway, the whole picture. */
export function closeUp([x = 0, y = 0, w = 0, h = 0]: readonly number[], canvas: Extent, source: Extent): Viewport {
  const scale = Math.min(canvas[0] / Math.max(w, LEAST_LOOK_PX), canvas[1] / Math.max(h, LEAST_LOOK_PX)) / 2;
  const whole = fit(canvas, source);
  return scale <= whole.scale ? whole : centred([x + w / 2, y + h / 2], scale, canvas, source);
}

/** Whether a part of a box is seen. */
export function isSeen(view: Viewport, [x = 0, y = 0, w = 0, h = 0]: readonly number[], canvas: Extent): boolean {
  const [[left, top], [right, bottom]] = [toCanvas(view, [x, y]), toCanvas(view, [x + w, y + h])];
  return right >= 0 && bottom >= 0 && left <= canvas[0] && top <= canvas[1];
}

function kept(view: Viewport, canvas: Extent, source: Extent): Viewport {
  const keep = KEEP_PX / view.scale;
  const clamp = (value: number, low: number, high: number) => Math.min(Math.max(value, low), high);
  return {
    scale: view.scale,
    left: clamp(view.left, keep - canvas[0] / view.scale, source[0] - keep),
    top: clamp(view.top, keep - canvas[1] / view.scale, source[1] - keep),
  };
}

export function toSource(view: Viewport, [x, y]: Place): Place {
  return [view.left + x / view.scale, view.top + y / view.scale];
}

export function toCanvas(view: Viewport, [x, y]: Place): Place {
  return [(x - view.left) * view.scale, (y - view.top) * view.scale];
}

/** Where the handles of a box stand, in source pixels. */
export function handlePlaces([x = 0, y = 0, w = 0, h = 0]: readonly number[]): Record<Exclude<Handle, "all">, Place> {
  const [cx, cy, right, bottom] = [x + w / 2, y + h / 2, x + w, y + h];
  return {
    nw: [x, y],
    n: [cx, y],
    ne: [right, y],
    e: [right, cy],
    se: [right, bottom],
    s: [cx, bottom],
    sw: [x, bottom],
    w: [x, cy],
  };
}

/** The handle under a place of the canvas, or `all` inside the box, or null. `reach` is in canvas pixels. */
export function handleAt(view: Viewport, box: readonly number[], at: Place, reach: number): Handle | null {
  let best: Handle | null = null;
  let nearest = reach;
  for (const [handle, place] of Object.entries(handlePlaces(box)) as [Handle, Place][]) {
    const [x, y] = toCanvas(view, place);
    const distance = Math.hypot(x - at[0], y - at[1]);
    if (distance <= nearest) {
      nearest = distance;
      best = handle;
    }
  }
  if (best !== null) return best;
  const [x, y] = toSource(view, at);
  const [left = 0, top = 0, w = 0, h = 0] = box;
  return x >= left && x <= left + w && y >= top && y <= top + h ? "all" : null;
}

/** A box with one handle moved; it keeps at least two pixels a side and stays in the image. */
export function dragged(box: readonly number[], handle: Handle, by: Place, source: Extent): readonly number[] {
  const [x = 0, y = 0, w = 0, h = 0] = box;
  if (handle === "all") {
    const left = Math.min(Math.max(x + by[0], 0), Math.max(source[0] - w, 0));
    const top = Math.min(Math.max(y + by[1], 0), Math.max(source[1] - h, 0));
    return [left, top, w, h];
  }
  let [left, top, right, bottom] = [x, y, x + w, y + h];
  if (handle.includes("w")) left = Math.min(Math.max(left + by[0], 0), right - SMALLEST_BOX_PX);
  if (handle.includes("e")) right = Math.max(Math.min(right + by[0], source[0]), left + SMALLEST_BOX_PX);
  if (handle.includes("n")) top = Math.min(Math.max(top + by[1], 0), bottom - SMALLEST_BOX_PX);
  if (handle.includes("s")) bottom = Math.max(Math.min(bottom + by[1], source[1]), top + SMALLEST_BOX_PX);
  return [left, top, right - left, bottom - top];
}

/** A point moved, within the image. */
export function shifted(point: readonly number[], by: Place, source: Extent): readonly number[] {
  const [x = 0, y = 0] = point;
  return [Math.min(Math.max(x + by[0], 0), source[0]), Math.min(Math.max(y + by[1], 0), source[1])];
}

/** A place on the nearest whole pixel or edge of the image, where snapping is asked for. */
export function snapped(place: readonly number[], source: Extent, reach: number): readonly number[] {
  const snap = (value: number, edges: readonly number[]) => {
    const edge = edges.find((one) => Math.abs(one - value) <= reach);
    return edge ?? Math.round(value);
  };
  const [x = 0, y = 0, w, h] = place;
  const [left, top] = [snap(x, [0, source[0]]), snap(y, [0, source[1]])];
  if (w === undefined || h === undefined) return [left, top];
  return [left, top, snap(x + w, [source[0]]) - left, snap(y + h, [source[1]]) - top];
}
