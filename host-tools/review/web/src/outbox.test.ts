import { describe, expect, it } from "vitest";
import { type Action, labelsOf, nameOfCreated, Outbox, type Outcome } from "./outbox";
import { label } from "./sample";

const SAVED: Outcome = { is: "saved", labels: [label("x", 1, 2)] };
const AWAY: Outcome = { is: "unreachable", why: "the host does not answer" };

function accept(id: string): Action {
  return { do: "verdict", label: id, key: id, verdict: { verdict: "accept" }, millis: 100 };
}

/** An outbox before a host that answers as scripted, and afterwards always `saved`. */
function scripted(answers: Outcome[], kept: string | null = null) {
  const seen = {
    sent: [] as string[],
    saved: [] as string[],
    refused: [] as string[],
    waiting: 0,
    trouble: null as string | null,
    shelf: kept,
    retries: [] as { ms: number; then: () => void }[],
  };
  const outbox = new Outbox(
    (action) => {
      seen.sent.push(`${action.do} ${labelsOf(action).join("+")}`);
      return Promise.resolve(answers.shift() ?? SAVED);
    },
    {
      read: () => seen.shelf,
      write: (text) => {
        seen.shelf = text;
      },
    },
    { after: (ms, then) => void seen.retries.push({ ms, then }) },
    {
      waiting: (count, trouble) => {
        seen.waiting = count;
        seen.trouble = trouble;
      },
      saved: (action) => void seen.saved.push(labelsOf(action).join("+")),
      refused: (action, why) => void seen.refused.push(`${labelsOf(action).join("+")}: ${why}`),
    },
  );
  const settled = () => new Promise<void>((done) => setTimeout(done, 0));
  return { outbox, seen, settled };
}

describe("verdicts on their way to the host", () => {
  it("arrive in the order in which they were given", async () => {
    const { outbox, seen, settled } = scripted([]);
    outbox.push(accept("a"));
    outbox.push(accept("b"));
    outbox.push({ do: "undo", label: "a", key: "u" });
    await settled();
    expect(seen.sent).toEqual(["verdict a", "verdict b", "undo a"]);
    expect(seen.waiting).toBe(0);
    expect(seen.shelf).toBe('{"queue":[],"names":[]}');
  });

  it("are kept and sent again when the host is away, ever more patiently", async () => {
    const { outbox, seen, settled } = scripted([AWAY, AWAY]);
    outbox.push(accept("a"));
    await settled();
    expect([seen.waiting, seen.trouble]).toEqual([1, "the host does not answer"]);
    seen.retries[0]?.then();
    await settled();
    expect(seen.retries.map((retry) => retry.ms)).toEqual([500, 1000]);
    seen.retries[1]?.then();
    await settled();
    expect(seen.saved).toEqual(["a"]);
    expect([seen.waiting, seen.trouble]).toEqual([0, null]);
  });

  it("are not sent twice by a retry that was overtaken", async () => {
    const { outbox, seen, settled } = scripted([AWAY]);
    outbox.push(accept("a"));
    await settled();
    await outbox.deliver();
    seen.retries[0]?.then();
    await settled();
    expect(seen.sent).toEqual(["verdict a", "verdict a"]);
    expect(seen.saved).toEqual(["a"]);
  });

  it("survive a reload of the page", async () => {
    const before = scripted([AWAY]);
    before.outbox.push(accept("a"));
    await before.settled();
    const after = scripted([], before.seen.shelf);
    await after.outbox.deliver();
    expect(after.seen.saved).toEqual(["a"]);
  });

  it("do not hold up the others when one is refused", async () => {
    const { outbox, seen, settled } = scripted([{ is: "refused", why: "no such label" }]);
    outbox.push(accept("a"));
    outbox.push(accept("b"));
    await settled();
    expect(seen.refused).toEqual(["a: no such label"]);
    expect(seen.saved).toEqual(["b"]);
  });

  it("begin empty when what was kept cannot be read", () => {
    expect(scripted([], "{not json").outbox.pending).toEqual([]);
    expect(scripted([], '{"a":1}').outbox.pending).toEqual([]);
  });

  it("keep what an older page left waiting", () => {
    const kept = JSON.stringify([accept("a")]);
    expect(scripted([], kept).outbox.pending.map((action) => action.key)).toEqual(["a"]);
  });

  it("name a label that was made here as the host names it, in all that is sent after", async () => {
    const made: Action = { do: "create", key: "k", clip: "c", kind: "blink", track: 1, frames: [1, 5], value: {}, millis: 9 };
    const answer: Outcome = { is: "saved", labels: [label("desk:4", 1, 5)], renames: { from: nameOfCreated("k"), to: "desk:4" } };
    const { outbox, seen, settled } = scripted([answer]);
    outbox.push(made);
    outbox.push({ do: "undo", label: nameOfCreated("k"), key: "u" });
    await settled();
    expect(seen.sent).toEqual(["create new:k", "undo desk:4"]);
    expect(outbox.nameOf(nameOfCreated("k"))).toBe("desk:4");
    // A reload in between does not forget it.
    expect(scripted([], seen.shelf).outbox.nameOf(nameOfCreated("k"))).toBe("desk:4");
  });

  it("take verdicts given at once back by the host's number of them", async () => {
    const bulk: Action = { do: "bulk", key: "k", labels: ["a", "b"], verdict: { verdict: "accept" }, millis: 9 };
    const sent: Action[] = [];
    const { outbox, settled } = scripted([]);
    const own = new Outbox(
      (action) => {
        sent.push(action);
        return Promise.resolve<Outcome>({ is: "saved", labels: [], ...(action.do === "bulk" ? { renames: { from: "k", to: "17" } } : {}) });
      },
      { read: () => null, write: () => undefined },
      { after: () => undefined },
      { waiting: () => undefined, saved: () => undefined, refused: () => undefined },
    );
    own.push(bulk);
    own.push({ do: "undo-bulk", key: "u", labels: ["a", "b"], batch: "k" });
    await settled();
    expect(sent[1]).toMatchObject({ do: "undo-bulk", batch: "17" });
    expect(outbox.pending).toEqual([]);
  });
});
