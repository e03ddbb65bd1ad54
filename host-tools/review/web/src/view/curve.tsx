import { gaps, HIGHEST_OPENNESS, lines, pathOf, yOf } from "../curve";
import * as format from "../format";
import { column } from "../material";
import type { Evidence, FrameRange } from "../model";
import { stretchOf } from "../strip";

interface Props {
  curve: Evidence;
  /** Of the event, as edited. */
  frames: FrameRange;
  columnWidth: number;
  gutter: number;
}

const PLOT_PX = 104;
/** Height of the lane that says whether an eye was looked at. */
const LANE_PX = 12;
const EYES = ["right", "left"] as const;

/** Openness of both eyes, column for column under the filmstrip. */
export function Curve({ curve, frames, columnWidth, gutter }: Props) {
  const width = curve.columns.length * columnWidth;
  const event = stretchOf(frames, curve.columns);
  const height = PLOT_PX + 2 * LANE_PX + 3;
  const looked = { left: curve.left.map((value) => value !== null), right: curve.right.map((value) => value !== null) };
  const either = looked.left.map((left, i) => left || looked.right[i] === true);
  const x = (columns: number) => columns * columnWidth;
  return (
    <figure class="curve">
      <div class="gutter axis" style={{ width: `${gutter}px`, height: `${height}px` }} aria-hidden="true">
        <span style={{ top: `${yOf(1, PLOT_PX)}px` }}>open</span>
        <span style={{ top: `${yOf(0.5, PLOT_PX)}px` }}>half</span>
        <span style={{ top: `${yOf(0, PLOT_PX) - 6}px` }}>shut</span>
        {EYES.map((eye, lane) => (
          <span key={eye} class="lane-name" style={{ top: `${PLOT_PX + 3 + (lane + 0.5) * LANE_PX}px` }}>
            {eye} seen
          </span>
        ))}
      </div>
      <svg
        width={width}
        height={height}
        role="img"
        aria-label={describe(curve, frames)}
        onMouseMove={(mouse) => {
          const at = Math.floor((mouse.clientX - mouse.currentTarget.getBoundingClientRect().left) / columnWidth);
          column.value = Math.min(Math.max(at, 0), curve.columns.length - 1);
        }}
      >
        <defs>
          <pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
            <line x1="0" y1="0" x2="0" y2="6" class="hatch-line" />
          </pattern>
          <clipPath id="plot">
            <rect x="0" y="0" width={width} height={height} />
          </clipPath>
        </defs>
        <rect class="ground" x="0" y="0" width={width} height={PLOT_PX} />
        <rect class="event" x={x(event.from)} y="0" width={x(event.to - event.from)} height={PLOT_PX} />
        {[0.5, 1].map((level) => (
          <line key={level} class="level" x1="0" x2={width} y1={yOf(level, PLOT_PX)} y2={yOf(level, PLOT_PX)} />
        ))}
        {gaps(either, curve).map((gap) => (
          <rect key={gap.from} class="gap" x={x(gap.from)} y="0" width={x(gap.to - gap.from)} height={PLOT_PX}>
            <title>neither eye was looked at</title>
          </rect>
        ))}
        <g clip-path="url(#plot)">
          {EYES.map((eye) =>
            lines(curve[eye], curve).map((points, i) => (
              <g key={`${eye} ${i}`} class={eye}>
                <path d={pathOf(points, columnWidth, PLOT_PX)} />
                {points.map((point) => (
                  <circle key={point.column} cx={x(point.column)} cy={yOf(point.openness, PLOT_PX)} r={eye === "right" ? 2.4 : 2} />
                ))}
              </g>
            )),
          )}
        </g>
        <line
          class="under-loupe"
          x1={x(column.value + 0.5)}
          x2={x(column.value + 0.5)}
          y1="0"
          y2={PLOT_PX}
        />
        {EYES.map((eye, lane) => (
          <g key={eye} class={eye}>
            <rect class="lane" x="0" y={PLOT_PX + 5 + lane * LANE_PX} width={width} height={LANE_PX - 4} />
            {gaps(looked[eye], curve).map((gap) => (
              <rect
                key={gap.from}
                class="gap"
                x={x(gap.from)}
                y={PLOT_PX + 5 + lane * LANE_PX}
                width={x(gap.to - gap.from)}
                height={LANE_PX - 4}
              >
                <title>the {eye} eye was not looked at</title>
              </rect>
            ))}
          </g>
        ))}
      </svg>
    </figure>
  );
}

function describe(curve: Evidence, frames: FrameRange): string {
  const eye = (name: "left" | "right") => {
    const seen = curve[name].filter((value) => value !== null);
    if (seen.length === 0) return `the ${name} eye was not looked at`;
    return `the ${name} eye goes down to ${format.percent(Math.max(Math.min(...seen), 0))}`;
  };
  return (
    `Openness of both eyes from frame ${curve.frames[0]} to ${curve.frames[1]}, of ${HIGHEST_OPENNESS} at most; ` +
    `${eye("right")}, ${eye("left")}; the event covers frames ${format.frames(frames)}`
  );
}
