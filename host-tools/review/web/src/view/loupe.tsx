import { useEffect } from "preact/hooks";
import { edge } from "../editor";
import type { LoadedEvidence } from "../evidence";
import * as format from "../format";
import { column, playing } from "../material";
import type { Evidence, FrameRange, Label } from "../model";
import { loupeScale, type Size } from "../strip";

/** Beside the eyes stand the frame number and the facts; under each its name. */
const BESIDE_PX = 360;
const UNDER_PX = 30;
/** Shown at half the speed it happened at: a blink is over in a tenth of a second. */
const SLOWER = 2;

/** One frame, large: both eyes side by side as they stand in the picture. */
export function Loupe({
  evidence: { curve, picture },
  frames,
  label,
  room,
}: {
  evidence: LoadedEvidence;
  /** Of the event, as edited. */
  frames: FrameRange;
  label: Label;
  room: Size;
}) {
  usePlayback(curve, label);
  const [tileWidth, tileHeight] = curve.tile;
  const scale = loupeScale({ width: room.width - BESIDE_PX, height: room.height - UNDER_PX }, curve.tile);
  const at = column.value;
  const frame = curve.columns[at] ?? 0;
  const inside = frame >= frames[0] && frame <= frames[1];
  return (
    <section class="loupe" aria-label={`Frame ${frame}, enlarged`}>
      {(["right", "left"] as const).map((eye, row) => {
        const openness = opennessAt(curve, eye, frame);
        return (
          <figure key={eye} class={eye} style={{ width: `${tileWidth * scale}px` }}>
            <div class={inside ? "pane inside" : "pane"} style={{ width: `${tileWidth * scale}px`, height: `${tileHeight * scale}px` }}>
              <img
                src={picture}
                alt={`The subject's ${eye} eye in frame ${frame}`}
                style={{
                  width: `${tileWidth * scale * curve.columns.length}px`,
                  height: `${tileHeight * scale * 2}px`,
                  transform: `translate(${-at * tileWidth * scale}px, ${-row * tileHeight * scale}px)`,
                }}
              />
            </div>
            <figcaption>
              <span class="key" aria-hidden="true" /> {eye} eye{" "}
              <strong>{openness === null ? "not looked at" : format.percent(Math.max(openness, 0))}</strong>
            </figcaption>
          </figure>
        );
      })}
      <p class="frame-number">
        <span>
          frame <strong>{frame}</strong>
        </span>
        <span class="quiet">{inside ? "in the event" : "beside the event"}</span>
        <NearestTo frames={frames} columns={curve.columns} />
        <button
          type="button"
          aria-pressed={playing.value}
          onClick={() => {
            playing.value = !playing.value;
          }}
        >
          {playing.value ? "Stop" : "Play"} <kbd>Space</kbd>
        </button>
        <span class="quiet">
          <kbd>←</kbd> <kbd>→</kbd> step
        </span>
      </p>
    </section>
  );
}

/** The strip of a long event leaves frames out: an edge may lie on one that it does not show. */
function NearestTo({ frames, columns }: { frames: FrameRange; columns: readonly number[] }) {
  if (edge.value === null) return null;
  const at = frames[edge.value === "start" ? 0 : 1];
  if (columns.includes(at)) return null;
  return <span class="bad">the nearest picture to frame {at}</span>;
}

function opennessAt(curve: Evidence, eye: "left" | "right", frame: number): number | null {
  return curve[eye][Math.round((frame - curve.frames[0]) / curve.stride)] ?? null;
}

function usePlayback(curve: Evidence, label: Label): void {
  const on = playing.value;
  useEffect(() => {
    if (!on) return undefined;
    const steps = Math.max(label.frames[1] - label.frames[0], 1);
    const frameMs = (label.pts_us[1] - label.pts_us[0]) / 1000 / steps || 40;
    const columnFrames =
      ((curve.columns.at(-1) ?? 0) - (curve.columns[0] ?? 0)) / Math.max(curve.columns.length - 1, 1) || 1;
    const timer = setInterval(
      () => {
        column.value = (column.value + 1) % curve.columns.length;
      },
      Math.max(frameMs * columnFrames * SLOWER, 16),
    );
    return () => clearInterval(timer);
  }, [on, curve, label.id]);
}
