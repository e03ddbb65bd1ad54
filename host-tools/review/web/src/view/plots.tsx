// Plots of quality: plain SVG, each with a sentence for who cannot see it. Colours only repeat what marks and words say.

import type { CurvePoint, Seconds, Share } from "../desk";
import { percent, words } from "../format";

const px = (value: number) => value.toFixed(1);

/** Share right, its interval, and the line to clear. */
export function PrecisionBar({ share, floor, label }: { share: Share | null; floor: number | null; label: string }) {
  const [w, h] = [170, 22];
  const x = (value: number) => 6 + value * (w - 18);
  const said =
    share === null
      ? `${label}: nothing judged`
      : `${label}: ${percent(share.value)} right` +
        (share.low === null || share.high === null
          ? ", no interval yet"
          : `, 95 % interval ${percent(share.low)} to ${percent(share.high)}`) +
        (floor === null ? "" : `, line at ${percent(floor)}`);
  return (
    <svg class="plot precision" width={w} height={h} role="img" aria-label={said}>
      <title>{said}</title>
      <line class="axis" x1={x(0)} x2={x(1)} y1={h / 2} y2={h / 2} />
      {[0, 0.5, 1].map((at) => (
        <line key={at} class="tick" x1={x(at)} x2={x(at)} y1={h / 2 - 3} y2={h / 2 + 3} />
      ))}
      {share?.low != null && share.high !== null && (
        <rect class="interval" x={x(share.low)} width={Math.max(1, x(share.high) - x(share.low))} y={h / 2 - 4} height={8} rx={2} />
      )}
      {floor !== null && <line class="floor" x1={x(floor)} x2={x(floor)} y1={1} y2={h - 1} />}
      {share !== null && <circle class={share.low === null ? "value open" : "value"} cx={x(share.value)} cy={h / 2} r={4} />}
    </svg>
  );
}

/** Coverage: one bar, what is silent by reason beside it. */
export function CoverageBar({ value, silent }: { value: number; silent: Record<string, number> }) {
  const reasons = Object.entries(silent).sort((a, b) => b[1] - a[1]);
  const all = value + reasons.reduce((sum, [, frames]) => sum + frames, 0);
  if (all === 0) return <span class="quiet">nobody in view</span>;
  const text =
    `${percent(value / all)} of frames have a value` +
    reasons.map(([reason, frames]) => `; ${percent(frames / all)} ${words(reason)}`).join("");
  return (
    <span class="coverage" title={text}>
      <svg class="plot" width={80} height={12} role="img" aria-label={text}>
        <rect class="silent" x={0} y={1} width={80} height={10} rx={2} />
        <rect class="told" x={0} y={1} width={px((80 * value) / all)} height={10} rx={2} />
      </svg>{" "}
      {percent(value / all)}
    </span>
  );
}

/** Reliability diagram: what was promised against what was kept. On the diagonal a promise is kept. */
export function ReliabilityPlot({ curve, of }: { curve: readonly CurvePoint[]; of: string }) {
  const [size, left, bottom] = [300, 40, 34];
  // Room for the middle of the last number, and of a large dot.
  const right = 14;
  const x = (value: number) => left + value * (size - left - right);
  const y = (value: number) => size - bottom - value * (size - bottom - right);
  const most = Math.max(...curve.map((point) => point.judged), 1);
  const said =
    `Calibration of ${of}: ` +
    curve
      .map((point) => `of ${point.judged} at confidence ${percent(point.confidence)} ${percent(point.value)} were right`)
      .join("; ");
  return (
    <svg class="plot reliability" viewBox={`0 0 ${size} ${size}`} width={size} height={size} role="img" aria-label={said}>
      {[0, 0.25, 0.5, 0.75, 1].map((at) => (
        <g key={at}>
          <line class="grid" x1={x(0)} x2={x(1)} y1={y(at)} y2={y(at)} />
          <line class="grid" x1={x(at)} x2={x(at)} y1={y(0)} y2={y(1)} />
          <text x={left - 6} y={y(at) + 4} text-anchor="end">
            {Math.round(at * 100)}
          </text>
          <text x={x(at)} y={size - bottom + 14} text-anchor="middle">
            {Math.round(at * 100)}
          </text>
        </g>
      ))}
      <line class="diagonal" x1={x(0)} y1={y(0)} x2={x(1)} y2={y(1)} />
      <path class="curve" d={curve.map((p, i) => `${i === 0 ? "M" : "L"}${px(x(p.confidence))} ${px(y(p.value))}`).join(" ")} />
      {curve.map((point) => (
        <g key={point.confidence}>
          <title>{`${point.judged} labels at ${percent(point.confidence)}: ${percent(point.value)} right`}</title>
          {point.low !== null && point.high !== null && (
            <line class="interval" x1={x(point.confidence)} x2={x(point.confidence)} y1={y(point.low)} y2={y(point.high)} />
          )}
          <circle class={point.low === null ? "value open" : "value"} cx={x(point.confidence)} cy={y(point.value)} r={2.5 + 5 * Math.sqrt(point.judged / most)} />
        </g>
      ))}
      <text class="name" x={x(0.5)} y={size - 3} text-anchor="middle">
        confidence, %
      </text>
      <text class="name" transform={`translate(10 ${y(0.5)}) rotate(-90)`} text-anchor="middle">
        right, %
      </text>
    </svg>
  );
}

const ACTS = ["accept", "correct", "reject", "create"];

/** Median seconds by act, with intervals. */
export function SecondsPlot({ seconds, of }: { seconds: readonly Seconds[]; of: string }) {
  const shown = ACTS.flatMap((act) => seconds.filter((one) => one.act === act));
  if (shown.length === 0) return <p class="quiet">No time measured yet.</p>;
  const most = Math.max(...shown.map((one) => one.high ?? one.median)) * 1.1;
  const [w, row, left] = [340, 26, 70];
  const x = (value: number) => left + (value / most) * (w - left - 70);
  const said =
    `Human seconds of ${of}: ` + shown.map((one) => `${one.act} ${one.median.toFixed(1)} s, median of ${one.count}`).join("; ");
  return (
    <svg class="plot seconds" width={w} height={row * shown.length + 4} role="img" aria-label={said}>
      {shown.map((one, i) => {
        const y = row * i + row / 2 + 2;
        return (
          <g key={one.act}>
            <text x={left - 8} y={y + 4} text-anchor="end">
              {one.act}
            </text>
            <rect class="told" x={x(0)} y={y - 6} width={Math.max(1, x(one.median) - x(0))} height={12} rx={2} />
            {one.low !== null && one.high !== null && <line class="interval" x1={x(one.low)} x2={x(one.high)} y1={y} y2={y} />}
            <text x={x(one.high ?? one.median) + 6} y={y + 4}>
              {one.median.toFixed(1)} s <tspan class="quiet">of {one.count}</tspan>
            </text>
          </g>
        );
      })}
    </svg>
  );
}

/** A line over time; gaps where nothing was told. */
export function Spark({ points, name, unit }: { points: readonly (readonly [number, number | null])[]; name: string; unit: string }) {
  const told = points.filter((point): point is readonly [number, number] => point[1] !== null);
  const first = told[0];
  const last = told[told.length - 1];
  if (told.length < 2 || first === undefined || last === undefined) return null;
  const [w, h] = [150, 34];
  const values = told.map(([, value]) => value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const x = (at: number) => 2 + ((at - first[0]) / Math.max(1, last[0] - first[0])) * (w - 4);
  const y = (value: number) => h - 3 - ((value - low) / Math.max(1e-9, high - low)) * (h - 6);
  const said = `${name}: ${low.toFixed(0)} to ${high.toFixed(0)} ${unit}, now ${last[1].toFixed(0)}`;
  return (
    <figure class="spark">
      <svg class="plot" width={w} height={h} role="img" aria-label={said}>
        <title>{said}</title>
        <path class="curve" d={told.map(([at, value], i) => `${i === 0 ? "M" : "L"}${px(x(at))} ${px(y(value))}`).join(" ")} />
      </svg>
      <figcaption class="quiet">
        {name} {last[1].toFixed(0)} {unit}
      </figcaption>
    </figure>
  );
}
