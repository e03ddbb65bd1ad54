import { type Place, toCanvas, type Viewport } from "../geometry";
import { pointsOf, rmse, sidesOf } from "../line";
import { aim, chosen, drawing, lineHere } from "../line-editor";

/** Of points that stand closer than this no handles are drawn but the chosen one's: canvas pixels. */
const CROWDED_PX = 7;
const POINT_PX = 4;
/** Less than this is no difference that anybody sees: pixels of the source. */
const SAME_PX = 0.5;

/** The line on the canvas. */
export function pathOf(view: Viewport, at: readonly number[], closed: boolean): string {
  const places = pointsOf(at).map((point) => toCanvas(view, point).map((value) => value.toFixed(2)).join(" "));
  return places.length === 0 ? "" : `M${places.join("L")}${closed ? "z" : ""}`;
}

/** The line itself: its first point a square, an arrow where it sets out; where it left what was offered, that as well. */
export function OwnLine({ view, changed, offered, name }: { view: Viewport; changed: boolean; offered: { at: readonly number[]; closed: boolean } | null; name: string }) {
  const here = lineHere.value;
  if (here === null) return drawing.value === null ? null : <Aim view={view} from={null} />;
  const off = offered === null ? null : rmse(here, offered);
  const path = pathOf(view, here.at, here.closed);
  const points = pointsOf(here.at).map((point) => toCanvas(view, point));
  return (
    <g
      class={changed ? "own line changed" : "own line"}
      role="img"
      aria-label={`${name}: ${here.closed ? "a closed" : "an open"} line of ${points.length} points`}
    >
      {offered !== null && off !== null && off > SAME_PX && <path class="ghost" d={pathOf(view, offered.at, offered.closed)} />}
      <path class="halo" d={path} />
      <path class="stroke" d={path} />
      <Direction view={view} at={here.at} closed={here.closed} />
      {points.map((point, i) => (
        <Handle key={i} at={point} n={i} crowded={crowded(points, i)} />
      ))}
      {drawing.value !== null && <Aim view={view} from={points.at(-1) ?? null} />}
    </g>
  );
}

function crowded(points: readonly Place[], i: number): boolean {
  const [here, before] = [points[i], points[i - 1]];
  return here !== undefined && before !== undefined && Math.hypot(here[0] - before[0], here[1] - before[1]) < CROWDED_PX;
}

function Handle({ at: [x, y], n, crowded: small }: { at: Place; n: number; crowded: boolean }) {
  const held = chosen.value === n;
  const arm = held ? POINT_PX + 1.5 : small ? POINT_PX / 2 : POINT_PX;
  const look = held ? "handle held" : "handle";
  if (n === 0) return <rect class={look} data-point={n} x={x - arm} y={y - arm} width={2 * arm} height={2 * arm} />;
  return <circle class={look} data-point={n} cx={x} cy={y} r={arm} />;
}

/** An arrow in the middle of the first side. */
function Direction({ view, at, closed }: { view: Viewport; at: readonly number[]; closed: boolean }) {
  const side = sidesOf(at, closed)[0];
  if (side === undefined) return null;
  const [[ax, ay], [bx, by]] = [toCanvas(view, side[0]), toCanvas(view, side[1])];
  const turned = (Math.atan2(by - ay, bx - ax) * 180) / Math.PI;
  const small = Math.hypot(bx - ax, by - ay) < 3 * CROWDED_PX;
  return small ? null : <path class="direction" d="M-4 -5L5 0L-4 5z" transform={`translate(${(ax + bx) / 2} ${(ay + by) / 2}) rotate(${turned})`} />;
}

/** Where keys set the next point, and the side that it would make. */
function Aim({ view, from }: { view: Viewport; from: Place | null }) {
  const [x, y] = toCanvas(view, aim.value);
  return (
    <g class="aim">
      {from !== null && <path class="next" d={`M${from[0]} ${from[1]}L${x} ${y}`} />}
      <path class="halo" d={cross([x, y], 13)} />
      <path class="stroke" d={cross([x, y], 13)} />
    </g>
  );
}

/** A cross with an open middle. */
export function cross([x, y]: Place, arm: number): string {
  return `M${x - arm} ${y}H${x - 3}M${x + 3} ${y}H${x + arm}M${x} ${y - arm}V${y - 3}M${x} ${y + 3}V${y + arm}`;
}
