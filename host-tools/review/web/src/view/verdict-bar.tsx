import { obey } from "../commands";
import { dirty, draft } from "../editor";
import * as format from "../format";
import { answersBy, redoable, unselect } from "../judging";
import { formOf, isMade, isPlaced, standing, TITLE, valueOf } from "../kinds";
import { pointsOf } from "../line";
import { drawing, lineHere } from "../line-editor";
import { type Label, LINE_KINDS, REJECT_CAUSES } from "../model";
import { currentId, labels, mode, selected, tally, total } from "../session";

export function VerdictBar({ label }: { label: Label }) {
  const many = selected.value.size;
  return (
    <footer class="verdict">
      {mode.value === "cause" ? (
        <Causes />
      ) : mode.value === "line" ? (
        <Lines />
      ) : (
        <>
          {drawing.value !== null ? <Drawing /> : many > 0 ? <Many count={many} /> : dirty.value ? <Changed /> : <One label={label} />}
          <button type="button" onClick={() => obey({ do: "undo" })}>
            <kbd>U</kbd> Undo
          </button>
          {redoable.value > 0 && (
            <button type="button" onClick={() => obey({ do: "redo" })}>
              <kbd>⇧U</kbd> Redo
            </button>
          )}
          {drawing.value === null && <Moves />}
          {tally.value.waiting === 0 && !dirty.value && label.state !== "waiting" && labels.value.length >= total.value && (
            <span class="done">Every label of this queue has a verdict.</span>
          )}
        </>
      )}
    </footer>
  );
}

function Moves() {
  const at = labels.value.findIndex((one) => one.id === currentId.value) + 1;
  return (
    <span class="moves">
      <button type="button" aria-label="Previous label" onClick={() => obey({ do: "move", step: -1 })}>
        <kbd>K</kbd> ↑
      </button>
      <span class="quiet">
        {at} of {format.count(Math.max(total.value, labels.value.length))}
      </span>
      <button type="button" aria-label="Next label" onClick={() => obey({ do: "move", step: 1 })}>
        <kbd>J</kbd> ↓
      </button>
    </span>
  );
}

function Causes() {
  return (
    <div class="causes" role="group" aria-label="Why is it rejected?">
      <span>Rejected: why?</span>
      {REJECT_CAUSES.map((cause, i) => (
        <button key={cause} type="button" class="reject" onClick={() => obey({ do: "cause", cause })}>
          <kbd>{i + 1}</kbd> {format.cause(cause)}
        </button>
      ))}
      <button type="button" onClick={() => obey({ do: "close" })}>
        <kbd>Esc</kbd> cancel
      </button>
    </div>
  );
}

function Lines() {
  return (
    <div class="causes" role="group" aria-label="Which line was missed?">
      <span>Missed line: which?</span>
      {LINE_KINDS.map((kind, i) => (
        <button key={kind} type="button" onClick={() => obey({ do: "draw", kind })}>
          <kbd>{i + 1}</kbd> {TITLE[kind].toLowerCase()}
        </button>
      ))}
      <button type="button" onClick={() => obey({ do: "close" })}>
        <kbd>Esc</kbd> cancel
      </button>
    </div>
  );
}

/** While the points of a line are set. */
function Drawing() {
  const count = pointsOf(lineHere.value?.at ?? []).length;
  return (
    <>
      <button type="button" class="accept" onClick={() => obey({ do: "save" })}>
        <kbd>↵</kbd> End the line
      </button>
      <button type="button" onClick={() => obey({ do: "set-point" })}>
        <kbd>Space</kbd> point at the cross
      </button>
      <button type="button" disabled={count === 0} onClick={() => obey({ do: "drop-point" })}>
        <kbd>⌫</kbd> last point away
      </button>
      <button type="button" aria-pressed={drawing.value?.line.closed === true} onClick={() => obey({ do: "closed" })}>
        <kbd>C</kbd> closed
      </button>
      <button type="button" onClick={() => obey({ do: "close" })}>
        <kbd>Esc</kbd> drop it
      </button>
      <span class="quiet" role="status">
        {count} {count === 1 ? "point" : "points"}
      </span>
    </>
  );
}

function Reject() {
  return (
    <button type="button" class="reject" onClick={() => obey({ do: "reject" })}>
      <kbd>R</kbd> Reject …
    </button>
  );
}

function One({ label }: { label: Label }) {
  const form = formOf(label.kind);
  return (
    <>
      {answersBy(label) !== null && <Answers label={label} />}
      {!isMade(label) && (
        <button type="button" class="accept" onClick={() => obey({ do: "accept" })}>
          <kbd>A</kbd> Accept
        </button>
      )}
      <Reject />
      {form === "event" && (
        <button type="button" onClick={() => obey({ do: "create" })}>
          <kbd>N</kbd> Missed event
        </button>
      )}
      {isPlaced(form) && label.track !== null && (
        <button type="button" onClick={() => obey({ do: "missed-line" })}>
          <kbd>N</kbd> Missed line …
        </button>
      )}
    </>
  );
}

const LEVELS = [1, 2, 3, 4, 5];

/** One key says what is so: the machine's word is outlined, and is an acceptance. */
function Answers({ label }: { label: Label }) {
  const said = valueOf(label);
  const stands = standing(label).value;
  const answers = answersBy(label) === "flag" ? ([["Y", "Yes", true], ["N", "No", false]] as const) : LEVELS.map((level) => [`${level}`, "", level] as const);
  return (
    <span class="answers" role="group" aria-label="What is so?">
      {answers.map(([key, text, value]) => {
        const offered = typeof value === "boolean" ? said?.flag === value : said?.level === value;
        const held = label.state !== "waiting" && (typeof value === "boolean" ? stands?.flag === value : stands?.level === value);
        return (
          <button
            key={key}
            type="button"
            class={offered ? "offered" : undefined}
            aria-pressed={held}
            title={offered ? "what the rig says: accepts it" : "something else: corrects it"}
            onClick={() => obey(typeof value === "boolean" ? { do: "flag", flag: value } : { do: "level", level: value })}
          >
            <kbd>{key}</kbd> {text}
          </button>
        );
      })}
    </span>
  );
}

function Changed() {
  const made = draft.value?.of === "new" ? "event" : draft.value?.of === "new-line" ? "line" : null;
  return (
    <>
      <button type="button" class="accept save" onClick={() => obey({ do: "save" })}>
        <kbd>↵</kbd> {made !== null ? `Make the ${made}` : "Save the correction"}
      </button>
      <button type="button" onClick={() => obey({ do: "close" })}>
        <kbd>Esc</kbd> {made !== null ? "drop it" : "as it was"}
      </button>
    </>
  );
}

function Many({ count }: { count: number }) {
  const labels = count === 1 ? "1 selected label" : `${count} selected labels`;
  return (
    <>
      <button type="button" class="accept" onClick={() => obey({ do: "accept" })}>
        <kbd>A</kbd> Accept {labels}
      </button>
      <button type="button" class="reject" onClick={() => obey({ do: "reject" })}>
        <kbd>R</kbd> Reject {labels} …
      </button>
      <button type="button" onClick={() => unselect()}>
        <kbd>Esc</kbd> none
      </button>
    </>
  );
}
