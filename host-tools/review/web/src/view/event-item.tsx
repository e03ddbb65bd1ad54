import { useRef } from "preact/hooks";
import { draft, eventSpan, span } from "../editor";
import * as format from "../format";
import { isMade, TITLE } from "../kinds";
import { shown } from "../material";
import type { Label } from "../model";
import { columnWidth } from "../strip";
import { temporalIou } from "../span";
import { Curve } from "./curve";
import { Filmstrip } from "./filmstrip";
import { CommonFacts } from "./item";
import { Loupe } from "./loupe";
import { Neighbourhood } from "./neighbourhood";
import { useSize } from "./size";

/** Left of strip and curve: what the rows are. */
const GUTTER_PX = 76;

export function EventItem({ label }: { label: Label }) {
  const box = useRef<HTMLDivElement>(null);
  const { width: available } = useSize(box);
  const below = useRef<HTMLDivElement>(null);
  const room = useSize(below);
  const evidence = shown.value;
  const strip = evidence === null || evidence === "none" ? null : evidence;
  const width = strip === null ? 0 : columnWidth(available - GUTTER_PX, strip.curve.columns.length, strip.curve.tile[0]);
  return (
    <>
      <div class="evidence" ref={box}>
        {evidence === null ? (
          <p class="quiet waiting-evidence">Fetching the filmstrip …</p>
        ) : strip === null ? (
          <p class="quiet waiting-evidence">{nothing(label)}</p>
        ) : (
          width > 0 && (
            <>
              <Filmstrip evidence={strip} frames={eventSpan.value} columnWidth={width} gutter={GUTTER_PX} />
              <Curve curve={strip.curve} frames={eventSpan.value} columnWidth={width} gutter={GUTTER_PX} />
            </>
          )
        )}
        {available > 0 && <Neighbourhood label={label} width={available} gutter={GUTTER_PX} />}
      </div>
      <div class="below" ref={below}>
        {strip !== null && <Loupe evidence={strip} frames={eventSpan.value} label={label} room={room} />}
        <Facts label={label} />
      </div>
    </>
  );
}

function nothing(label: Label): string {
  if (isMade(label)) return "A person made this event: there is no filmstrip of its own. The line below shows what the rig saw around it.";
  return `No filmstrip has arrived for this label${label.has_evidence ? ", or it could not be shown" : " yet"}.`;
}

function Facts({ label }: { label: Label }) {
  const event = label.event ?? label.value?.event ?? null;
  const eyes = event?.eyes;
  const frames = span.value;
  const length = frames[1] - frames[0] + 1;
  const moved = frames[0] !== label.frames[0] || frames[1] !== label.frames[1];
  return (
    <dl class="facts">
      <div>
        <dt>lasts</dt>
        <dd>
          {format.durationMs(label.pts_us, label.frames)} ms, {label.frames[1] - label.frames[0] + 1}{" "}
          {label.frames[1] === label.frames[0] ? "frame" : "frames"}
        </dd>
      </div>
      {moved && (
        <div class="changed">
          <dt>as edited</dt>
          <dd>
            frames {format.frames(frames)}, {length}; shares {format.percent(temporalIou(frames, label.frames))} with the rig’s
          </dd>
        </div>
      )}
      {draft.value?.of === "new" && (
        <div class="changed">
          <dt>new, not saved</dt>
          <dd>
            {TITLE[draft.value.kind].toLowerCase()}, frames {format.frames(draft.value.frames)}
          </dd>
        </div>
      )}
      <div>
        <dt>seen on</dt>
        <dd>{eyes === undefined ? "unknown" : eyes === "both" ? "both eyes" : `the ${eyes} eye only`}</dd>
      </div>
      {event !== null && !isMade(label) && (
        <div>
          <dt>smallest opening</dt>
          <dd>
            {format.percent(Math.max(event.opening, 0))} at frame {event.peak}
          </dd>
        </div>
      )}
      <CommonFacts label={label} />
    </dl>
  );
}
