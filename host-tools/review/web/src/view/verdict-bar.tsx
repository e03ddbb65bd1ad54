import * as format from "../format";
import { type Label, REJECT_CAUSES } from "../model";
import { currentId, labels, mode, obey, rejectBecause, tally } from "../session";

export function VerdictBar({ label }: { label: Label }) {
  const at = labels.value.findIndex((one) => one.id === currentId.value) + 1;
  return (
    <footer class="verdict">
      {mode.value === "cause" ? (
        <div class="causes" role="group" aria-label="Why is it rejected?">
          <span>Rejected: why?</span>
          {REJECT_CAUSES.map((cause, i) => (
            <button key={cause} type="button" class="reject" onClick={() => rejectBecause(cause)}>
              <kbd>{i + 1}</kbd> {format.cause(cause)}
            </button>
          ))}
          <button type="button" onClick={() => obey({ do: "close" })}>
            <kbd>Esc</kbd> cancel
          </button>
        </div>
      ) : (
        <>
          <button type="button" class="accept" onClick={() => obey({ do: "accept" })}>
            <kbd>A</kbd> Accept
          </button>
          <button type="button" class="reject" onClick={() => obey({ do: "reject" })}>
            <kbd>R</kbd> Reject …
          </button>
          <button type="button" onClick={() => obey({ do: "undo" })}>
            <kbd>U</kbd> Undo
          </button>
          <span class="moves">
            <button type="button" aria-label="Previous label" onClick={() => obey({ do: "move", step: -1 })}>
              <kbd>K</kbd> ↑
            </button>
            <span class="quiet">
              {at} of {labels.value.length}
            </span>
            <button type="button" aria-label="Next label" onClick={() => obey({ do: "move", step: 1 })}>
              <kbd>J</kbd> ↓
            </button>
          </span>
          {tally.value.waiting === 0 && label.state !== "waiting" && (
            <span class="done">Every candidate of this clip has a verdict.</span>
          )}
        </>
      )}
    </footer>
  );
}
