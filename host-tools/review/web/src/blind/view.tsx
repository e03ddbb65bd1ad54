import { useEffect, useRef } from "preact/hooks";
import * as format from "../format";
import { formOf, TITLE, valueText } from "../kinds";
import "../style/second-look.css";
import { useSize } from "../view/size";
import type { View } from "../views";
import { KEYS, takeKey } from "./keys";
import * as state from "./look";
import { MarkedPicture } from "./picture";
import { MarkedStrip } from "./strip";

/** What is asked, without saying that anybody said anything. */
const QUESTION: Record<state.AskedKind, string> = {
  blink: "Is there a blink in these frames? Mark its first and its last frame.",
  "long-closure": "Are the eyes shut for longer than half a second? Mark the first and the last frame.",
  "bbox-person": "Where is the person? Draw the box around all that is visible of them.",
  "keypoint-left-eye": "Where is the centre of the subject’s left eye?",
  "keypoint-right-eye": "Where is the centre of the subject’s right eye?",
  "wearing-glasses": "Does the person wear glasses?",
  "in-shadow": "Does a shadow lie on the face?",
  "face-occluded": "Does something cover part of the face?",
  alertness: "How awake does the driver look?",
  "light-change": "Does the light change in these frames?",
  "video-quality": "How well can a driver’s face be read?",
};

function Body() {
  // Also when something comes to wait while nothing did.
  const waits = state.phase.value === "nothing waits" && state.due.value > 0;
  useEffect(() => state.begin(), [waits]);
  const asked = state.look.value;
  if (asked === null) return <Nothing />;
  const form = formOf(asked.kind);
  return (
    <main class="second-look" data-phase={state.phase.value} data-look={asked.look}>
      <header class="title">
        <h2 id="item-title">
          {TITLE[asked.kind]} · frames {format.frames(asked.frames)}
        </h2>
        <span class="quiet">{asked.track === null ? "the scene" : `person: track ${asked.track}`}</span>
        <span class="chip">second look</span>
        <span class="quiet">{format.count(state.due.value)} wait</span>
        <p class="question">{QUESTION[asked.kind]}</p>
      </header>
      <Stage strip={form === "event" && asked.has_strip} />
      {asked.answer === null ? <Asked kind={asked.kind} /> : <Answered kind={asked.kind} given={asked.answer} />}
    </main>
  );
}

function Stage({ strip }: { strip: boolean }) {
  const box = useRef<HTMLDivElement>(null);
  const room = useSize(box);
  return (
    <div class="scratch" ref={box}>
      {room.width > 0 && (strip ? <MarkedStrip width={room.width} /> : <MarkedPicture width={room.width} height={room.height} />)}
    </div>
  );
}

function Nothing() {
  const waits = state.phase.value === "asking the host";
  return (
    <main class="nothing">
      <h2>{waits ? "Asking …" : "No second look waits for you"}</h2>
      {!waits && (
        <p>
          A small share of what comes is asked here from scratch, before anybody sees what the rig said; some of its silence is
          shown, and some of what was judged comes again a day later.
          {state.alone.value && " You are alone at this desk: only your agreement with yourself can be known, not that with others."}
        </p>
      )}
    </main>
  );
}

function Button({ keys, text, act, kind }: { keys: string; text: string; act: () => void; kind?: string }) {
  return (
    <button type="button" class={kind} onClick={act}>
      <kbd>{keys}</kbd> {text}
    </button>
  );
}

function Asked({ kind }: { kind: state.AskedKind }) {
  const form = formOf(kind);
  const ready = state.reading.value !== null;
  return (
    <footer class="verdict" aria-label="What is there?">
      {form === "flag" &&
        [true, false].map((flag) => (
          <Button key={`${flag}`} keys={flag ? "Y" : "N"} text={flag ? "Yes" : "No"} act={() => void state.answer("here", { value: { flag } })} />
        ))}
      {form === "level" &&
        [1, 2, 3, 4, 5].map((level) => <Button key={level} keys={`${level}`} text="" act={() => void state.answer("here", { value: { level } })} />)}
      {form === "event" && (
        <>
          <Button keys="[" text={state.first.value === null ? "begins here" : `begins at ${state.first.value}`} act={() => state.edge("first")} />
          <Button keys="]" text={state.last.value === null ? "ends here" : `ends at ${state.last.value}`} act={() => state.edge("last")} />
        </>
      )}
      {form === "box" && <Button keys="Space" text={state.corner.value === null ? "a corner" : "the corner across"} act={state.setCorner} />}
      {ready && <Button keys="↵" text="Save" act={state.save} kind="accept" />}
      {form !== "flag" && form !== "level" && <Button keys="N" text="Nothing here" act={() => void state.answer("nothing")} />}
      <Button keys="C" text="Cannot tell" act={() => void state.answer("cannot-tell")} />
      <span class="moves quiet">
        {form === "event" && state.strip.value !== null ? `frame ${state.at.value}` : picturesText()}
      </span>
    </footer>
  );
}

function picturesText(): string {
  const all = state.pictures.value.length;
  if (all === 0) return "no picture of these frames has arrived";
  return `frame ${state.at.value}, picture ${state.shownPicture.value + 1} of ${all} (, .)`;
}

function saidText(said: string, frames: readonly [number, number] | null, value: state.LookAnswer["value"]): string {
  if (said === "nothing") return "nothing there";
  if (said === "cannot-tell") return "cannot tell";
  const word = value?.event === undefined && value?.boxes === undefined && value?.points === undefined ? valueText(value ?? null) : "";
  const what = word !== "" ? word : value?.event !== undefined && frames !== null ? `frames ${format.frames(frames)}` : "as drawn";
  return said === "not" ? `not ${what}` : what;
}

const HELD: Record<state.Sort, string> = {
  blind: "the rig says",
  silence: "",
  self: "you said before",
  other: "somebody else said",
  second: "what stands",
};

function Answered({ kind, given }: { kind: state.AskedKind; given: state.LookAnswer }) {
  const against = given.against;
  const form = formOf(kind);
  const placed = form === "box" || form === "point";
  return (
    <footer class="verdict answered">
      <p class="held-against" role="status">
        <span class="quiet">you say</span> <strong>{saidText(given.said, given.frames, given.value)}</strong>
        {against !== null && (
          <>
            {" "}
            <span class="quiet">{HELD[given.sort]}</span> <strong>{saidText(against.says, against.frames, against.value)}</strong>
            {against.confidence !== null && <span class="quiet"> at {format.percent(against.confidence)}</span>}
          </>
        )}{" "}
        {given.agrees !== null && (
          <span class={given.agrees ? "chip agrees" : "chip differs"}>{given.agrees ? "✓ agrees" : "≠ differs"}</span>
        )}
        {given.made !== null && <span class="chip">made into a label</span>}
      </p>
      {state.judgeable.value && (
        <>
          <Button keys="A" text="Accept the rig’s" act={state.acceptRigs} kind="accept" />
          <Button keys="T" text={placed && given.said === "here" ? "Correct it in the queue" : "Take mine"} act={state.takeMine} />
        </>
      )}
      {given.label !== null && <Button keys="O" text="Open" act={state.open} />}
      <Button keys="U" text="Take back" act={() => void state.undo()} />
      <Button keys="↵" text={state.judgeable.value ? "Leave it to the queue" : "Next"} act={() => void state.next()} />
    </footer>
  );
}

export const SECOND_LOOK: View = {
  name: "second-look",
  title: "Second look",
  Body,
  waiting: () => state.due.value,
  takeKey,
  keys: KEYS,
};
