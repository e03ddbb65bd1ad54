import { useEffect, useState } from "preact/hooks";
import * as api from "../api";
import { coverage, eventsOfClip } from "../context";
import { pathOf, plotLines, yOf } from "../curve";
import { beginEvent, draft, eventSpan, frameUs, pointed, pointAt } from "../editor";
import * as format from "../format";
import { standing, TITLE } from "../kinds";
import { markText } from "../marks";
import type { FrameRange, Label, OpennessCurve } from "../model";
import { clip, currentId, marks, show } from "../session";
import { merged } from "../silence";
import { Edges } from "./edges";

/** Seen on both sides of the event: microseconds. */
const AROUND_US = 6_000_000;
const PLOT_PX = 54;
const BAR_PX = 16;
const HEIGHT_PX = PLOT_PX + BAR_PX;
const EYES = ["right", "left"] as const;

/** The seconds around an event: openness as far as it was told, other events as bars, hatched what was not looked at. */
export function Neighbourhood({ label, width: available, gutter }: { label: Label; width: number; gutter: number }) {
  const width = available - gutter;
  const around = Math.round(AROUND_US / frameUs.value);
  const frames: FrameRange = [
    Math.max(label.frames[0] - around, 0),
    Math.min(label.frames[1] + around, (clip.value?.frames ?? Number.MAX_SAFE_INTEGER) - 1),
  ];
  const count = frames[1] - frames[0] + 1;
  const each = width / count;
  const place = (frame: number) => (frame - frames[0]) * each;
  const frameAt = (x: number) => frames[0] + x / each;
  const curve = useCurve(label, frames);
  const overlaps = ([first, last]: FrameRange) => last >= frames[0] && first <= frames[1];
  return (
    <figure class="curve neighbourhood">
      <div class="gutter axis" style={{ width: `${gutter}px`, height: `${HEIGHT_PX}px` }} aria-hidden="true">
        <span style={{ top: `${yOf(1, PLOT_PX)}px` }}>open</span>
        <span style={{ top: `${yOf(0, PLOT_PX) - 5}px` }}>shut</span>
        <span style={{ top: `${PLOT_PX + BAR_PX / 2 + 1}px` }}>events</span>
      </div>
      <div class="around" style={{ width: `${width}px` }}>
        <svg
          width={width}
          height={HEIGHT_PX}
          role="img"
          aria-label={`Frames ${format.frames(frames)}: ${eventsOfClip.value.filter((one) => overlaps(standing(one).frames)).length} events`}
          onPointerDown={(event) => {
            const box = event.currentTarget.getBoundingClientRect();
            pointAt(Math.floor(frameAt(event.clientX - box.left)));
          }}
          onDblClick={() => {
            if (pointed.value !== null) beginEvent(pointed.value);
          }}
        >
          <rect class="ground" width={width} height={PLOT_PX} />
          {merged(coverage.value)
            .filter((one) => overlaps(one.frames) && (one.track === null || one.track === label.track))
            .map((one) => (
              <g key={`${one.reason} ${one.frames[0]}`}>
                <rect class="gap" x={place(one.frames[0])} width={place(one.frames[1] + 1) - place(one.frames[0])} height={HEIGHT_PX}>
                  <title>{`not looked at: ${format.reason(one.reason)}`}</title>
                </rect>
                <Reason text={format.reason(one.reason)} from={Math.max(place(one.frames[0]), 0)} to={Math.min(place(one.frames[1] + 1), width)} />
              </g>
            ))}
          {curve !== null &&
            EYES.map((eye) =>
              plotLines(curve[eye], curve, frames[0]).map((points, i) => (
                <g key={`${eye} ${i}`} class={eye}>
                  <path d={pathOf(points, each, PLOT_PX)} />
                </g>
              )),
            )}
          {eventsOfClip.value
            .filter((one) => overlaps(standing(one).frames) && one.state !== "removed")
            .map((one) => {
              const span = one.id === currentId.value && draft.value?.of !== "new" ? eventSpan.value : standing(one).frames;
              return (
                <rect
                  key={one.id}
                  class={`bar-of ${one.state}${one.id === currentId.value ? " here" : ""}`}
                  x={place(span[0])}
                  y={PLOT_PX + 3}
                  width={Math.max(place(span[1] + 1) - place(span[0]), 3)}
                  height={BAR_PX - 5}
                  onClick={() => show(one.id)}
                >
                  <title>{`${TITLE[one.kind]}, frames ${format.frames(span)}, ${one.state}`}</title>
                </rect>
              );
            })}
          {draft.value?.of === "new" && (
            <rect class="bar-of new" x={place(eventSpan.value[0])} y={PLOT_PX + 3} width={place(eventSpan.value[1] + 1) - place(eventSpan.value[0])} height={BAR_PX - 5}>
              <title>not saved yet</title>
            </rect>
          )}
          {marks.value
            .filter((mark) => overlaps([mark.frame, mark.frame]))
            .map((mark, i) => (
              <line key={`${mark.frame} ${i}`} class="moment-line" x1={place(mark.frame + 0.5)} x2={place(mark.frame + 0.5)} y1="0" y2={HEIGHT_PX}>
                <title>{markText(mark)}</title>
              </line>
            ))}
          {pointed.value !== null && <line class="pointed" x1={place(pointed.value + 0.5)} x2={place(pointed.value + 0.5)} y1="0" y2={HEIGHT_PX} />}
        </svg>
        <Edges frames={eventSpan.value} place={place} frameAt={frameAt} height={HEIGHT_PX} within={frames} />
        <p class="scale">
          <span>{frames[0]}</span>
          <span>
            {pointed.value === null ? (
              <>
                <kbd>,</kbd> <kbd>.</kbd> or a click: another frame, <kbd>N</kbd> makes an event there
              </>
            ) : (
              <>
                frame <strong>{pointed.value}</strong>, <kbd>N</kbd> makes an event here
              </>
            )}
          </span>
          <span>{frames[1]}</span>
        </p>
      </div>
    </figure>
  );
}

/** The reason itself where there is room for it. */
function Reason({ text, from, to }: { text: string; from: number; to: number }) {
  if (to - from < text.length * 7 + 12) return null;
  return (
    <text class="reason" x={(from + to) / 2} y={PLOT_PX / 2 + 4} text-anchor="middle">
      {text}
    </text>
  );
}

function useCurve(label: Label, frames: FrameRange): OpennessCurve | null {
  const [curve, setCurve] = useState<{ of: string; curve: OpennessCurve } | null>(null);
  const of = `${label.clip} ${label.track} ${frames[0]} ${frames[1]}`;
  useEffect(() => {
    if (label.track === null) return undefined;
    let wanted = true;
    api.curve(label.clip, label.track, frames).then(
      (got) => {
        if (wanted) setCurve({ of, curve: got });
      },
      // The line stays empty: what was told of the event itself is in the curve above.
      () => undefined,
    );
    return () => {
      wanted = false;
    };
  }, [of]);
  return curve?.of === of ? curve.curve : null;
}
