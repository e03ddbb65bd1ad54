import { count } from "../format";
import type { LinkState, Rig, Summary } from "../model";
import { condition } from "../rig";
import { clip, clipId, clips, mode, openClip, summary, tally, told } from "../session";

export function Header() {
  const here = clip.value;
  const rig = summary.value?.rigs.find((one) => one.rig === here?.rig);
  return (
    <header class="head">
      <h1>
        <img src="/favicon.svg" alt="" width="20" height="20" /> Rigel
      </h1>
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
      {summary.value !== null && <Balance summary={summary.value} />}
      {rig !== undefined && <Condition of={rig} />}
      <button type="button" class="keys" onClick={() => (mode.value = mode.value === "help" ? "review" : "help")}>
        Keys <kbd>?</kbd>
      </button>
    </header>
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

/** What was made is here: labels of closed clips, and messages of every clip. */
function Balance({ summary: { made, committed, lost, messages, open_clips, balanced } }: { summary: Summary }) {
  const title =
    `Labels of closed clips: ${made} made on the rigs, ${committed} committed here. ` +
    `Messages: ${messages.sent} sent, ${messages.committed} committed without a hole. ` +
    (open_clips > 0 ? `${open_clips} not closed yet: what they hold is counted when they are. ` : "") +
    (lost > 0 ? `${lost} labels were given up on a rig for want of room. ` : "") +
    (balanced ? "Everything that was made is here." : "Not everything that was made is here yet.");
  const arrived = made === committed && messages.sent === messages.committed;
  return (
    <span class={`balance ${balanced ? "even" : "uneven"}`} title={title}>
      <span class="quiet">labels made</span> {count(made)} {made === committed ? "=" : "≠"}{" "}
      <span class="quiet">committed</span> {count(committed)}
      {!arrived && (
        <>
          {" "}
          <span class="quiet">of messages</span> {count(messages.committed)}/{count(messages.sent)}
        </>
      )}{" "}
      <span class="mark" role="img" aria-label={balanced ? "balanced" : "not balanced yet"}>
        {balanced ? "✓" : "…"}
      </span>
    </span>
  );
}
