import { useRef } from "preact/hooks";
import { contextTold, tracksOfClip } from "../context";
import * as format from "../format";
import { obey } from "../commands";
import { brightness, editing, form, gamma, handle, magnifier, measured, snapping, track } from "../editor";
import { isPlaced, valueOf, valueText } from "../kinds";
import { LINE_PX, pointsOf, rmse } from "../line";
import { chosen, drawing, lineHere } from "../line-editor";
import { frame, loaded, picture, pictureCache, picturesHere } from "../material";
import type { Label, Signs } from "../model";
import { editTracks } from "../judging";
import { spread } from "../pictures";
import { isClosed, positionAt } from "../track";
import { CommonFacts } from "./item";
import { PictureCanvas } from "./picture-canvas";
import { TrackLine } from "./track-line";
import { useSize } from "./size";
import { useEffect, useState } from "preact/hooks";

const MOST_THUMBNAILS = 9;

export function PictureItem({ label }: { label: Label }) {
  const placed = isPlaced(form.value);
  const box = useRef<HTMLDivElement>(null);
  const room = useSize(box);
  return (
    <div class="pictured">
      <div class="stage" ref={box}>
        {picturesHere.value.length === 0 && !placed ? (
          <p class="quiet waiting-evidence">
            {contextTold.value ? "No picture of these frames has arrived." : "Asking for pictures …"}
          </p>
        ) : (
          room.width > 0 && <PictureCanvas label={label} width={room.width} height={room.height} />
        )}
      </div>
      <aside class="side" aria-label="What is said, and how it is looked at">
        <Said label={label} />
        {label.signs != null && <SignList signs={label.signs} />}
        <Light />
        {placed && drawing.value === null && <TrackTools label={label} />}
        <dl class="facts">
          <CommonFacts label={label} />
        </dl>
      </aside>
      <div class="under">
        {placed ? <TrackLine label={label} /> : <Thumbnails />}
        <WhichPicture />
      </div>
    </div>
  );
}

function Said({ label }: { label: Label }) {
  if (form.value === "line") return <SaidOfLine />;
  if (isPlaced(form.value)) {
    const now = track.value === null ? null : positionAt(track.value, frame.value);
    return (
      <p class="said-value">
        <span class="quiet">here</span> {now === null ? "nowhere" : now.map((value) => value.toFixed(1)).join(", ")}
        <span class="quiet"> px</span>
      </p>
    );
  }
  return (
    <p class="said-value">
      <span class="quiet">the rig says</span> <strong>{valueText(valueOf(label))}</strong>
      {label.correction?.value !== undefined && (
        <>
          {" "}
          <span class="quiet">corrected to</span> <strong>{valueText(label.correction.value)}</strong>
        </>
      )}
    </p>
  );
}

/** What is taken hold of, where it is, and how far the line is from what was offered. */
function SaidOfLine() {
  const line = lineHere.value;
  if (line === null) return <p class="said-value quiet">no point yet</p>;
  const points = pointsOf(line.at);
  const point = chosen.value === null ? undefined : points[chosen.value];
  const offered = measured.value;
  const off = offered === null ? null : rmse(line, { at: positionAt(offered, frame.value), closed: isClosed(offered) });
  return (
    <div class="said-line">
      <p class="said-value" role="status">
        {point === undefined ? (
          <>
            {line.closed ? "closed" : "open"}, {points.length} points
          </>
        ) : (
          <>
            point {(chosen.value ?? 0) + 1} of {points.length}
            <br />
            <span class="quiet">at</span> {point.map((value) => value.toFixed(1)).join(", ")}
            <span class="quiet"> px</span>
          </>
        )}
      </p>
      {off !== null && off >= 0.05 && (
        <p class={off > LINE_PX ? "bad" : "quiet"} title={`Root mean square distance; more than ${LINE_PX} px is wrong by the quality standard`}>
          {off.toFixed(1)} px from the line as it came
        </p>
      )}
    </div>
  );
}

/** What a level of alertness rests on. */
function SignList({ signs }: { signs: Signs }) {
  const lines: [string, string][] = [
    ["eyes slowly shut (PERCLOS)", `${(signs.perclos * 100).toFixed(1)} %`],
    ["longest closure", `${signs.longest_closure_s.toFixed(2)} s`],
    ["closures of ½ s or more", `${signs.closures}`],
    ["blinks", `${signs.blinks}${signs.blink_s == null ? "" : `, ${(signs.blink_s * 1000).toFixed(0)} ms each`}`],
    ["their length, of the usual", signs.blink_ratio == null ? "not known yet" : `${signs.blink_ratio.toFixed(2)} ×`],
    ["yawns, nods", `${signs.yawns}, ${signs.nods}`],
    ["seconds seen", `${signs.seen_s.toFixed(0)} of 60`],
  ];
  return (
    <dl class="signs" aria-label="Signs of the minute that ends here">
      {lines.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Brightness and gamma, for dark cabins. They change what is seen, never what is stored. */
function Light() {
  return (
    <fieldset class="light">
      <legend>
        Picture <kbd>B</kbd> <kbd>V</kbd> <kbd>P</kbd>
      </legend>
      <label>
        <span>brightness</span>
        <input type="range" min="0.5" max="4" step="0.05" value={brightness.value} onInput={(event) => (brightness.value = Number(event.currentTarget.value))} />
      </label>
      <label>
        <span>lift the dark</span>
        <input type="range" min="0.5" max="4" step="0.05" value={gamma.value} onInput={(event) => (gamma.value = Number(event.currentTarget.value))} />
      </label>
      <p class="zooms">
        <button type="button" aria-label="Nearer" onClick={() => obey({ do: "zoom", factor: 1.5 })}>
          +
        </button>
        <button type="button" aria-label="Farther" onClick={() => obey({ do: "zoom", factor: 1 / 1.5 })}>
          −
        </button>
        <button type="button" onClick={() => obey({ do: "zoom", factor: 0 })}>
          <kbd>0</kbd> whole
        </button>
        <button type="button" onClick={() => obey({ do: "plain" })}>
          <kbd>P</kbd> as it came
        </button>
      </p>
    </fieldset>
  );
}

function TrackTools({ label }: { label: Label }) {
  const others = tracksOfClip.value.filter((one) => one !== label.track);
  return (
    <fieldset class="tools">
      <legend>Edit</legend>
      <Toggle on={editing.value} keyName="E" text="move by arrow keys" command={() => obey({ do: "edit" })} />
      {form.value === "box" && (
        <button type="button" onClick={() => obey({ do: "handle", step: 1 })}>
          <kbd>H</kbd> {HANDLE_TEXT[handle.value]}
        </button>
      )}
      {form.value === "line" && <LineTools />}
      <Toggle on={snapping.value} keyName="O" text="snap to pixels" command={() => obey({ do: "snap" })} />
      <Toggle on={magnifier.value} keyName="L" text="magnifier" command={() => obey({ do: "magnifier" })} />
      <button type="button" onClick={() => obey({ do: "add-key" })}>
        <kbd>I</kbd> add keyframe
      </button>
      <button type="button" onClick={() => obey({ do: "delete-key" })}>
        <kbd>Del</kbd> delete it
      </button>
      <button type="button" onClick={() => obey({ do: "extend" })}>
        <kbd>W</kbd> extend to here
      </button>
      {label.track !== null && (
        <button type="button" onClick={() => obey({ do: "split" })}>
          <kbd>T</kbd> split track here
        </button>
      )}
      {label.track !== null && others.length > 0 && (
        <select
          aria-label="Merge this track into another"
          value=""
          onChange={(event) => {
            const into = Number(event.currentTarget.value);
            if (label.track !== null && event.currentTarget.value !== "") editTracks({ do: "merge", track: label.track, into });
            event.currentTarget.value = "";
            event.currentTarget.blur();
          }}
        >
          <option value="">merge into …</option>
          {others.map((one) => (
            <option key={one} value={one}>
              track {one}
            </option>
          ))}
        </select>
      )}
    </fieldset>
  );
}

/** The points of a line. */
function LineTools() {
  const at = chosen.value;
  return (
    <>
      <button type="button" aria-label={at === null ? "Whole line: choose the first point" : `Point ${at + 1}: choose the next`} onClick={() => obey({ do: "handle", step: 1 })}>
        <kbd>H</kbd> {at === null ? "whole line" : `point ${at + 1}`}
      </button>
      <button type="button" disabled={at === null} onClick={() => obey({ do: "add-point" })}>
        <kbd>D</kbd> add point
      </button>
      <button type="button" disabled={at === null} onClick={() => obey({ do: "delete-point" })}>
        <kbd>⇧D</kbd> delete point
      </button>
      <Toggle on={lineHere.value?.closed === true} keyName="C" text="closed" command={() => obey({ do: "closed" })} />
    </>
  );
}

const HANDLE_TEXT = {
  all: "whole box",
  n: "top side",
  e: "right side",
  s: "bottom side",
  w: "left side",
  nw: "upper left corner",
  ne: "upper right corner",
  se: "lower right corner",
  sw: "lower left corner",
} as const;

function Toggle({ on, keyName, text, command }: { on: boolean; keyName: string; text: string; command: () => void }) {
  return (
    <button type="button" aria-pressed={on} onClick={command}>
      <kbd>{keyName}</kbd> {text}
    </button>
  );
}

function Thumbnails() {
  return (
    <ol class="thumbnails" aria-label="Pictures of these frames">
      {spread(picturesHere.value, MOST_THUMBNAILS).map((one) => (
        <li key={one.id}>
          <button type="button" aria-current={picture.value?.id === one.id ? "true" : undefined} onClick={() => (frame.value = one.frame)}>
            <Thumbnail id={one.id} frame={one.frame} />
            <span>{one.frame}</span>
          </button>
        </li>
      ))}
    </ol>
  );
}

function Thumbnail({ id, frame: of }: { id: string; frame: number }) {
  const [address, setAddress] = useState<string | null>(null);
  useEffect(() => {
    let wanted = true;
    pictureCache.get(id).then(
      (got) => {
        if (wanted) setAddress(got.address);
      },
      () => undefined,
    );
    return () => {
      wanted = false;
    };
  }, [id]);
  return address === null ? <span class="blank" /> : <img src={address} alt={`The picture of frame ${of}`} height="64" />;
}

/** Which frame is judged, and which picture shows it: they need not be the same. */
function WhichPicture() {
  const at = frame.value;
  const seen = picture.value;
  const off = seen === null ? 0 : seen.frame - at;
  return (
    <p class="which" role="status">
      frame <strong>{at}</strong>
      {seen === null ? (
        <span class="bad"> no picture of this label has arrived</span>
      ) : loaded.value === "none" ? (
        <span class="bad"> its picture cannot be shown</span>
      ) : off !== 0 ? (
        <span class="bad">
          {" "}
          shown over the picture of frame {seen.frame}, {format.count(Math.abs(off))} {Math.abs(off) === 1 ? "frame" : "frames"}{" "}
          {off > 0 ? "later" : "earlier"}
        </span>
      ) : (
        <span class="quiet"> in its own picture</span>
      )}
      <span class="quiet">
        {" "}
        · <kbd>←</kbd> <kbd>→</kbd> pictures · <kbd>,</kbd> <kbd>.</kbd> frames
      </span>
    </p>
  );
}
