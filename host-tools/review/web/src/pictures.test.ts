import { describe, expect, it } from "vitest";
import type { Picture } from "./model";
import { type Loaded, nearestPicture, PictureCache, picturesOf, spread, stepPicture } from "./pictures";

const picture = (frame: number): Picture => ({ id: `rig:1:${frame}`, frame, pts_us: frame * 40_000, size: [640, 360], of: [1920, 1080] });
const CLIP = [0, 30, 60, 90, 120].map(picture);
const frames = (pictures: readonly Picture[]) => pictures.map((one) => one.frame);

describe("the pictures of a label", () => {
  it("are those of its frames", () => {
    expect(frames(picturesOf(CLIP, [30, 100]))).toEqual([30, 60, 90]);
  });

  it("are its neighbours where none was taken within it", () => {
    expect(frames(picturesOf(CLIP, [61, 70]))).toEqual([60, 90]);
    expect(frames(picturesOf(CLIP, [200, 210]))).toEqual([120]);
    expect(picturesOf([], [0, 9])).toEqual([]);
  });

  it("are spread over it where there are many", () => {
    expect(frames(spread(CLIP, 3))).toEqual([0, 60, 120]);
    expect(frames(spread(CLIP, 9))).toEqual(frames(CLIP));
  });

  it("are stepped through, and found by a frame", () => {
    expect(stepPicture(CLIP, 30, 1)?.frame).toBe(60);
    expect(stepPicture(CLIP, 45, -1)?.frame).toBe(30);
    expect(stepPicture(CLIP, 120, 1)).toBeNull();
    expect(nearestPicture(CLIP, 50)?.frame).toBe(60);
  });
});

describe("pictures held in memory", () => {
  const loaded = (id: string) => ({ address: id }) as Loaded;

  it("are fetched once, and let go when others need the room", async () => {
    const asked: string[] = [];
    const gone: string[] = [];
    const cache = new PictureCache(
      (id) => {
        asked.push(id);
        return Promise.resolve(loaded(id));
      },
      ({ address }) => void gone.push(address),
      2,
    );
    await cache.get("a");
    await cache.get("b");
    await cache.get("a");
    await cache.get("c");
    await Promise.resolve();
    expect(asked).toEqual(["a", "b", "c"]);
    expect(gone).toEqual(["b"]);
  });

  it("are asked for again after a failure", async () => {
    let fails = true;
    const cache = new PictureCache((id) => (fails ? Promise.reject(new Error("away")) : Promise.resolve(loaded(id))), () => undefined, 2);
    await expect(cache.get("a")).rejects.toThrow("away");
    fails = false;
    await expect(cache.get("a")).resolves.toEqual(loaded("a"));
  });
});
