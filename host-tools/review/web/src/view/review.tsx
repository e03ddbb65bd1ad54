// The review: a queue of labels, one of them large, and a verdict on it.

import { commandFor, KEY_LIST } from "../keys";
import type { LinkState, Rig } from "../model";
import { condition } from "../rig";
import { clip, clipId, clips, current, mode, obey, openClip, summary, tally, told, unsaved } from "../session";
import { count } from "../format";
import { nothingFound } from "../silence";
import type { View } from "../views";
import { Item } from "./item";
import { Queue } from "./queue";
import { Timeline } from "./timeline";

function Body() {
  return clip.value === null ? <Nothing /> : <Work />;
}

function Work() {
  return (
    <div class="review">
      <Timeline />
      <div class="work">
        <Queue />
        <main class="item" aria-label="The label under review" data-unsaved={unsaved.value.count}>
          {current.value === null ? <NoCandidates /> : <Item label={current.value} />}
        </main>
      </div>
    </div>
  );
}

function Nothing() {
  return (
    <main class="nothing">
      {summary.value === null ? (
        <p>Asking the host …</p>
      ) : clips.value.length === 0 ? (
        <>
          <h2>No clip has arrived yet</h2>
          <p>As soon as a rig opens one, it appears here by itself.</p>
        </>
      ) : (
        <p>Opening the clip …</p>
      )}
    </main>
  );
}

function NoCandidates() {
  const [heading, meaning] = nothingFound(told.value, clip.value?.balance === "open");
  return (
    <div class="nothing">
      <h2>{heading}</h2>
      <p>{meaning}</p>
    </div>
  );
}

function Head() {
  const here = clip.value;
  const rig = summary.value?.rigs.find((one) => one.rig === here?.rig);
  return (
    <>
      {clips.value.length > 0 && (
        <span class="pick">
          <select
            aria-label="Clip"
            value={clipId.value ?? ""}
            onChange={(event) => {
              openClip(event.currentTarget.value);
              // The keys judge again at once.
              event.currentTarget.blur();
            }}
          >
            {clips.value.map((one) => (
              <option key={one.id} value={one.id}>
                {one.rig} · {one.name}
                {one.events > 0 ? ` (${one.events})` : ""}
              </option>
            ))}
          </select>
        </span>
      )}
      {here !== null && <Link state={rig?.link ?? "unknown"} rig={here.rig} />}
      {here?.damage != null && (
        <span class="bad chip" title={here.damage}>
          media damaged
        </span>
      )}
      <dl class="counts" aria-label="Candidates of this clip">
        <Count name="waiting" value={told.value ? tally.value.waiting : null} />
        <Count name="accepted" value={told.value ? tally.value.accepted : null} />
        <Count name="rejected" value={told.value ? tally.value.rejected : null} />
      </dl>
      {rig !== undefined && <Condition of={rig} />}
    </>
  );
}

function Count({ name, value }: { name: "waiting" | "accepted" | "rejected"; value: number | null }) {
  return (
    <div class={`count ${name}`}>
      <dd>{value === null ? "…" : count(value)}</dd>
      <dt>{name}</dt>
    </div>
  );
}

const LINK_TEXT: Record<LinkState, string> = {
  online: "online",
  stopped: "stopped in order",
  offline: "offline",
  unknown: "state unknown",
};

function Link({ state, rig }: { state: LinkState; rig: string }) {
  return (
    <span class={`link ${state}`} title={`The rig ${rig} is ${LINK_TEXT[state]}`}>
      <span class="dot" aria-hidden="true" /> {rig} {LINK_TEXT[state]}
    </span>
  );
}

/** How the rig fares, in one line; what is wrong stands out. */
function Condition({ of }: { of: Rig }) {
  const said = condition(of);
  if (said.length === 0) return null;
  return (
    <p class="condition" aria-label={`How the rig ${of.rig} fares`}>
      {said.map(({ text, bad }) => (
        <span key={text} class={bad ? "bad" : "quiet"}>
          {text}
        </span>
      ))}
    </p>
  );
}

function Notes() {
  return (
    <>
      <h2>What counts</h2>
      <p>
        A blink runs from the first frame in which a lid moves down to the last one before the eye is fully open again.
        Accept it when your own marking and this one would share at least half of the frames that either covers. Hatched
        means that the eye was not looked at: it is neither open nor shut.
      </p>
    </>
  );
}

export const REVIEW: View = {
  name: "review",
  title: "Review",
  Body,
  Head,
  keys: KEY_LIST,
  Notes,
  takeKey: (pressed) => {
    const command = commandFor(pressed, mode.value);
    if (command !== null) obey(command);
    return command !== null;
  },
};
