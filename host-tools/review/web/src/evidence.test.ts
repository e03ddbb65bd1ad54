import { expect, it } from "vitest";
import { EvidenceCache } from "./evidence";
import type { Evidence } from "./model";

const CURVE: Evidence = { frames: [0, 1], stride: 1, left: [1, 1], right: [1, 1], columns: [0, 1], tile: [8, 4] };

function counting(fails: () => boolean = () => false) {
  const asked: string[] = [];
  const released: string[] = [];
  const cache = new EvidenceCache(
    {
      curve: (label) => {
        asked.push(label);
        return fails() ? Promise.reject(new Error("gone")) : Promise.resolve(CURVE);
      },
      picture: (label) => Promise.resolve(`blob:${label}`),
      release: (picture) => void released.push(picture),
    },
    2,
  );
  return { asked, cache, released };
}

it("fetches evidence once, ahead or not", async () => {
  const { asked, cache } = counting();
  cache.preload(["a"]);
  expect((await cache.get("a")).picture).toBe("blob:a");
  expect(asked).toEqual(["a"]);
});

it("lets go of what was used longest ago", async () => {
  const { asked, cache, released } = counting();
  for (const label of ["a", "b", "a", "c", "a", "b"]) await cache.get(label);
  expect(asked).toEqual(["a", "b", "c", "b"]);
  expect(released).toEqual(["blob:b", "blob:c"]);
});

it("asks again after a failure", async () => {
  let broken = true;
  const { asked, cache } = counting(() => broken);
  await expect(cache.get("a")).rejects.toThrow("gone");
  broken = false;
  await cache.get("a");
  expect(asked).toEqual(["a", "a"]);
});
