import { count } from "../format";
import type { LinkState, Summary } from "../model";
import { clip, clipId, clips, mode, openClip, summary, tally } from "../session";

export function Header() {
  const here = clip.value;
  const rig = summary.value?.rigs.find((one) => one.rig === here?.rig);
  return (
    <header class="head">
      <h1>
        <img src="/favicon.svg" alt="" width="20" height="20" /> Rigel
      </h1>
      {clips.value.length > 0 && (
        <label class="pick">
          <span class="quiet">clip</span>
          <select
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
                {one.waiting > 0 ? ` (${one.waiting} waiting)` : ""}
              </option>
            ))}
          </select>
        </label>
      )}
      {here !== null && <Link state={rig?.link ?? "unknown"} rig={here.rig} />}
      {here?.damage != null && (
        <span class="bad chip" title={here.damage}>
          media damaged
        </span>
      )}
      <dl class="counts" aria-label="Candidates of this clip">
        <Count name="waiting" value={tally.value.waiting} />
        <Count name="accepted" value={tally.value.accepted} />
        <Count name="rejected" value={tally.value.rejected} />
      </dl>
      {summary.value !== null && <Balance summary={summary.value} />}
      <button type="button" class="keys" onClick={() => (mode.value = mode.value === "help" ? "review" : "help")}>
        Keys <kbd>?</kbd>
      </button>
    </header>
  );
}

function Count({ name, value }: { name: "waiting" | "accepted" | "rejected"; value: number }) {
  return (
    <div class={`count ${name}`}>
      <dd>{count(value)}</dd>
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

/** made = sent = committed, of all rigs; it must balance when everything is delivered. */
function Balance({ summary: { made, sent, committed, evicted, balanced } }: { summary: Summary }) {
  const even = made === committed && made === sent;
  return (
    <span
      class={`balance ${balanced ? "even" : "uneven"}`}
      title={
        `Labels of all rigs. Made: ${made}, sent: ${sent}, committed here: ${committed}` +
        (evicted > 0 ? `, given up on the rig for want of room: ${evicted}` : "") +
        (balanced ? ". Everything that was made is here." : ". Not everything that was made is here yet.")
      }
    >
      <span class="quiet">labels</span> made {count(made)} {made === sent ? "=" : "≠"} sent {count(sent)}{" "}
      {sent === committed ? "=" : "≠"} committed {count(committed)} <span class="mark">{balanced && even ? "✓" : "…"}</span>
    </span>
  );
}
