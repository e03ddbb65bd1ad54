import { describe, expect, it } from "vitest";
import { type Action, Outbox, type Outcome } from "./outbox";
import { label } from "./sample";

const SAVED: Outcome = { is: "saved", label: label("x", 1, 2) };
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
      seen.sent.push(`${action.do} ${action.label}`);
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
      saved: (action) => void seen.saved.push(action.label),
      refused: (action, why) => void seen.refused.push(`${action.label}: ${why}`),
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
    expect(seen.shelf).toBe("[]");
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
});
