import { formOf, isMade, QUESTION, standing, TITLE } from "../kinds";
import { dirty, newLine } from "../editor";
import * as format from "../format";
import { heldByOthers } from "../leases";
import { markBeside } from "../marks";
import type { Label } from "../model";
import { clips, markAt } from "../session";
import { EventItem } from "./event-item";
import { PictureItem } from "./picture-item";
import { STATE_MARK } from "./queue";
import { Frames } from "./requests";
import { Rubric } from "./rubric";
import { VerdictBar } from "./verdict-bar";

export function Item({ label }: { label: Label }) {
  const holder = heldByOthers.value.get(label.id);
  // Of what was imported and is of no rig's clip nobody has frames.
  const shownByRig = clips.value.find((one) => one.id === label.clip)?.rig_clip != null;
  return (
    <article aria-labelledby="item-title">
      <header class="title">
        <h2 id="item-title">
          {TITLE[label.kind]} · {format.inFrames(standing(label).frames)}
        </h2>
        <span class="quiet">
          {format.time(label.pts_us[0])} – {format.time(label.pts_us[1])}
        </span>
        <span class={`state ${label.state}`}>
          {STATE_MARK[label.state]} {label.state}
          {label.cause !== null && `: ${format.cause(label.cause)}`}
        </span>
        {dirty.value && <span class="chip changed">not saved</span>}
        {markAt.value !== null && <span class="chip beside">⚑ {markBeside(markAt.value, label)}</span>}
        <Confidence label={label} />
        {holder !== undefined && (
          <p class="held" role="status">
            {holder} is working on this label: what you say of it is not taken until they have left it.
          </p>
        )}
        <div class="question">
          {newLine.value === null ? (
            <p>{QUESTION[label.kind]}</p>
          ) : (
            <p>
              <strong>{TITLE[newLine.value.kind]}, missed:</strong>{" "}
              {newLine.value.drawing
                ? "click from point to point; a click on the first one closes the line. By keys: arrows and Space."
                : "move and add points, set keyframes, extend it; then make it."}
            </p>
          )}
          {!isMade(label) && newLine.value === null && shownByRig && <Frames key={label.id} label={label.id} />}
        </div>
      </header>
      {formOf(label.kind) === "event" ? <EventItem label={label} /> : <PictureItem label={label} />}
      <VerdictBar label={label} />
      <Rubric kind={label.kind} />
    </article>
  );
}

function Confidence({ label }: { label: Label }) {
  const { confidence: share } = label;
  if (share === null) {
    return <span class="confidence quiet">{isMade(label) ? "made by a person" : "no confidence given"}</span>;
  }
  return (
    <span class="confidence" title="The chance that a reviewer accepts this label unchanged, as the rig promises">
      <span class="quiet">confidence</span>
      <span class="bar" role="meter" aria-label="Confidence" aria-valuemin={0} aria-valuemax={1} aria-valuenow={share}>
        <span style={{ width: `${share * 100}%` }} />
      </span>
      <strong>{format.percent(share)}</strong>
    </span>
  );
}

/** Model, person and id: what every kind has. */
export function CommonFacts({ label }: { label: Label }) {
  return (
    <>
      <div>
        <dt>person</dt>
        <dd>
          {label.track === null ? "the scene" : `track ${label.track}`}
          {label.driver === true && <span class="chip driver">driver</span>}
        </dd>
      </div>
      <div>
        <dt>model</dt>
        <dd title={label.model?.sha256}>
          {label.model === null ? "not named" : `${label.model.name} ${label.model.version}`}
        </dd>
      </div>
      <div>
        <dt>label</dt>
        <dd class="id">{label.id}</dd>
      </div>
    </>
  );
}
