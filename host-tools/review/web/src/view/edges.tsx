import { edge, setEdge } from "../editor";
import type { FrameRange } from "../model";
import type { Edge } from "../span";

interface Props {
  frames: FrameRange;
  /** Where a frame's left side stands, in CSS pixels. */
  place: (frame: number) => number;
  /** The frame at a place, a fraction of a frame included. */
  frameAt: (x: number) => number;
  height: number;
  /** The clip's first and last frame that may be reached here. */
  within: FrameRange;
}

/** The two edges of an event, to be dragged by pointer or moved by keys. */
export function Edges({ frames, place, frameAt, height, within }: Props) {
  return (
    <>
      <Handle which="start" at={frames[0]} x={place(frames[0])} {...{ frameAt, height, within }} />
      <Handle which="end" at={frames[1]} x={place(frames[1] + 1)} {...{ frameAt, height, within }} />
    </>
  );
}

interface HandleProps extends Pick<Props, "frameAt" | "height" | "within"> {
  which: Edge;
  at: number;
  x: number;
}

function Handle({ which, at, x, frameAt, height, within }: HandleProps) {
  const move = (event: PointerEvent) => {
    const grip = event.currentTarget as HTMLElement;
    if (!grip.hasPointerCapture(event.pointerId)) return;
    const box = (grip.offsetParent ?? grip).getBoundingClientRect();
    const boundary = Math.round(frameAt(event.clientX - box.left));
    const frame = which === "start" ? boundary : boundary - 1;
    setEdge(which, Math.min(Math.max(frame, within[0]), within[1]));
  };
  return (
    <div
      class={`grip ${which}`}
      role="slider"
      tabIndex={0}
      aria-label={which === "start" ? "First frame of the event" : "Last frame of the event"}
      aria-valuemin={within[0]}
      aria-valuemax={within[1]}
      aria-valuenow={at}
      data-moved={edge.value === which ? "true" : undefined}
      style={{ left: `${x}px`, height: `${height}px` }}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        event.preventDefault();
      }}
      onPointerMove={move}
      onKeyDown={(event) => {
        const by = event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0;
        if (by === 0) return;
        setEdge(which, at + by);
        event.preventDefault();
        event.stopPropagation();
      }}
    />
  );
}
