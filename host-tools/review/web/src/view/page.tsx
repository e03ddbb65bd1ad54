import { mustSignIn } from "../account";
import { retryNow, unsaved } from "../delivery";
import { connected, notice, stale } from "../host";
import { route } from "../route";
import { reload } from "../session";
import { viewNamed, VIEWS } from "../views";
import { Header } from "./header";
import { Help } from "./help";
import { SignIn } from "./sign-in";

export function Page() {
  if (mustSignIn.value) return <SignIn />;
  const Body = viewNamed(route.value.view)?.Body ?? NoSuchView;
  return (
    <>
      <Header />
      <Trouble />
      <div class="view">
        <Body />
      </div>
      <Help />
    </>
  );
}

function NoSuchView() {
  return (
    <main class="nothing">
      <h2>There is no view “{route.value.view}”</h2>
      <p>
        This host has:{" "}
        {VIEWS.map(({ name, title }) => (
          <a key={name} href={`#/${name}`}>
            {title}
          </a>
        ))}
      </p>
    </main>
  );
}

/** What the reader must know about the page itself: verdicts under way, a host that is gone, a refusal. */
function Trouble() {
  const { count, why } = unsaved.value;
  return (
    <div class="trouble" role="status" aria-live="polite">
      {stale.value && (
        <p class="stale">
          The host serves another version of this page now. What waits to be sent is kept.{" "}
          <button type="button" onClick={reload}>
            Load the new page
          </button>
        </p>
      )}
      {why !== null && (
        <p class="bad">
          {count === 1 ? "1 verdict is" : `${count} verdicts are`} not saved yet: {why}. Kept here and sent again by
          itself.{" "}
          <button type="button" onClick={retryNow}>
            Try now
          </button>
        </p>
      )}
      {connected.value === false && why === null && (
        <p class="bad">No connection to the host. You can go on; verdicts are kept until it is back.</p>
      )}
      {notice.value !== null && (
        <p class={notice.value.bad ? "bad" : "note"}>
          {notice.value.text}{" "}
          <button
            type="button"
            onClick={() => {
              notice.value = null;
            }}
          >
            Close
          </button>
        </p>
      )}
    </div>
  );
}
