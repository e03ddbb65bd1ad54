import { expect, it } from "vitest";
import { Stopwatch } from "./stopwatch";

it("counts only the time in which the page was seen", () => {
  let now = 1000;
  const watch = new Stopwatch(() => now);
  watch.restart();
  now += 300;
  watch.pause();
  now += 60_000;
  watch.resume();
  watch.resume();
  now += 200;
  expect(watch.elapsed()).toBe(500);
  watch.restart();
  expect(watch.elapsed()).toBe(0);
});
