// The review: a queue of labels, one of them large, and a verdict on it.

import { obey } from "../commands";
import { unsaved } from "../delivery";
import { editing, form } from "../editor";
import { EVERYTHING, narrowing } from "../filters";
import { commandFor, KEY_LIST } from "../keys";
import { drawing } from "../line-editor";
import type { LinkState, Rig } from "../model";
import { rubricOpen } from "../panels";
import { condition } from "../rig";
import { clip, clips, current, filter, mode, narrow, nextShownIn, summary, tally, told, total } from "../session";
import { count } from "../format";
import { nothingFound } from "../silence";
import type { View } from "../views";
import { Item } from "./item";
import { Queue } from "./queue";
import { Timeline } from "./timeline";

function Body() {
  return clips.value.length === 0 ? <Nothing /> : <Work />;
}

function Work() {
  return (
    <div class="review">
      <Timeline />
      <div class="work">
        <Queue />
        <main
          class="item"
          aria-label="The label under review"
          data-unsaved={unsaved.value.count}
          data-next-shown-ms={nextShownIn.value ?? undefined}
        >
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
      ) : (
        <>
          <h2>No clip has arrived yet</h2>
          <p>As soon as a rig opens one, it appears here by itself.</p>
        </>
      )}
    </main>
  );
}

function NoCandidates() {
  const now = filter.value;
  if (told.value && (narrowing(now).length > 0 || now.kinds.length > 0 || now.rig !== null)) {
    return (
      <div class="nothing">
        <h2>No label is left in this queue</h2>
        <p>
          The filter finds nothing.{" "}
          <button type="button" onClick={() => narrow({ ...EVERYTHING, clip: now.clip })}>
            Show every label of the clip
          </button>
        </p>
      </div>
    );
  }
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
            value={filter.value.clip ?? ""}
            onChange={(event) => {
              const chosen = event.currentTarget.value;
              narrow({ ...filter.value, clip: chosen === "" ? null : chosen });
              // The keys judge again at once.
              event.currentTarget.blur();
            }}
          >
            <option value="">every clip</option>
            {clips.value.map((one) => (
              <option key={one.id} value={one.id}>
                {one.rig} · {one.name}
                {one.review.waiting > 0 ? ` (${one.review.waiting})` : ""}
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
      <dl class="counts" aria-label="Labels of this queue">
        {COUNTED.filter((state) => !["corrected", "created"].includes(state) || tally.value[state] > 0).map((state) => (
          <div key={state} class={`count ${state}`}>
            <dd>{told.value ? count(tally.value[state]) : "…"}</dd>
            <dt>{state}</dt>
          </div>
        ))}
        {tally.value.waiting < total.value && total.value > sum(tally.value) && <span class="quiet">of {count(total.value)}</span>}
      </dl>
      {rig !== undefined && <Condition of={rig} />}
    </>
  );
}

const COUNTED = ["waiting", "accepted", "corrected", "rejected", "created"] as const;

function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((all, one) => all + one, 0);
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
      <span class="dot" aria-hidden="true" /> <span class="rig-name">{rig}</span> {LINK_TEXT[state]}
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
        The rule for each kind is one key away: <kbd>G</kbd>. Hatched means that it was not looked at: it is neither yes nor
        no. Confidence is the rig’s promise that you accept the label unchanged.
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
    // The open rule is scrolled by the keys that scroll.
    if (rubricOpen.value && /^(Arrow|Page|Home|End)/.test(pressed.key)) return false;
    const command = commandFor(pressed, {
      mode: mode.value,
      form: form.value,
      editing: editing.value,
      drawing: drawing.value !== null,
    });
    if (command !== null) obey(command);
    return command !== null;
  },
};
