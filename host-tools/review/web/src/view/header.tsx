import { account, signOut } from "../account";
import { count } from "../format";
import { helpOpen } from "../host";
import type { Summary } from "../model";
import { hashOf, route } from "../route";
import { summary } from "../session";
import { viewNamed, VIEWS } from "../views";

export function Header() {
  const Head = viewNamed(route.value.view)?.Head;
  return (
    <header class="head">
      <h1>
        <img src="favicon.svg" alt="" width="20" height="20" /> Rigel
      </h1>
      {VIEWS.length > 1 && <Views />}
      {Head !== undefined && <Head />}
      {summary.value !== null && <Balance summary={summary.value} />}
      <Who />
      <button type="button" class="keys" onClick={() => (helpOpen.value = !helpOpen.value)}>
        Keys <kbd>?</kbd>
      </button>
    </header>
  );
}

/** Where people sign in, who it is. */
function Who() {
  const me = account.value;
  if (me === null || me.open || me.user === null) return null;
  return (
    <span class="who">
      <span>
        <span class="unseen">signed in as </span>
        {me.user}
      </span>
      <button type="button" onClick={() => void signOut()}>
        Sign out
      </button>
    </span>
  );
}

function Views() {
  return (
    <nav class="views" aria-label="Views">
      {VIEWS.map(({ name, title, waiting }) => (
        <a
          key={name}
          href={hashOf({ view: name, rest: "" })}
          aria-current={route.value.view === name ? "page" : undefined}
          // The keys of the view that opens work at once.
          onClick={(event) => event.currentTarget.blur()}
        >
          {title}
          {waiting !== undefined && waiting() > 0 && (
            <span class="chip waits">
              {count(waiting())}
              <span class="unseen"> wait for you</span>
            </span>
          )}
        </a>
      ))}
    </nav>
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
