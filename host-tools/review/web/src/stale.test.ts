import { describe, expect, it } from "vitest";
import { isStale } from "./stale";

const door = (script: string) => `<head><script type="module" crossorigin src="${script}"></script></head>`;

describe("an open page", () => {
  it("is of today while the host names its script", () => {
    expect(isStale("http://desk:8080/assets/index-AbC1.js", door("/assets/index-AbC1.js"))).toBe(false);
    expect(isStale("http://desk/rigel/assets/index-AbC1.js", door("./assets/index-AbC1.js"))).toBe(false);
  });

  it("is stale once the host names another", () => {
    expect(isStale("http://desk:8080/assets/index-AbC1.js", door("/assets/index-XyZ2.js"))).toBe(true);
  });

  it("is not called stale because something else answered", () => {
    expect(isStale("http://desk:8080/assets/index-AbC1.js", "<h1>Bad gateway</h1>")).toBe(false);
  });
});
