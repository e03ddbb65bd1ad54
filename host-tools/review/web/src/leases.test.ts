import { expect, it } from "vitest";
import { nextWaiting } from "./queue";
import { label } from "./sample";

it("leaves out what another holds when it looks for the next label", () => {
  const queue = [label("a", 1, 2), label("b", 3, 4), label("c", 5, 6)];
  const held = new Map([["b", "ann"]]);
  expect(nextWaiting(queue, "a", held)).toBe("c");
  expect(nextWaiting(queue, "c", held)).toBe("a");
  expect(nextWaiting(queue.slice(0, 2), "a", held)).toBeNull();
});
