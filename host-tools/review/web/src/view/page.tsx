import { clip, clips, connected, current, summary, told, unsaved, notice, retryNow } from "../session";
import { nothingFound } from "../silence";
import { Header } from "./header";
import { Help } from "./help";
import { Item } from "./item";
import { Queue } from "./queue";
import { Timeline } from "./timeline";

export function Page() {
  return (
    <>
      <Header />
      <Trouble />
      {clip.value === null ? <Nothing /> : <Work />}
      <Help />
    </>
  );
}

function Work() {
  return (
    <>
      <Timeline />
      <div class="work">
        <Queue />
        <main class="item" aria-label="The label under review" data-unsaved={unsaved.value.count}>
          {current.value === null ? <NoCandidates /> : <Item label={current.value} />}
        </main>
      </div>
    </>
  );
}

/** What the reviewer must know about the page itself: verdicts under way, a host that is gone, a refusal. */
function Trouble() {
  const { count, why } = unsaved.value;
  return (
    <div class="trouble" role="status" aria-live="polite">
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
