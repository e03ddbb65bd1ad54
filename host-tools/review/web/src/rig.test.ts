import { describe, expect, it } from "vitest";
import type { Camera, CameraState, Health, Rig } from "./model";
import { condition } from "./rig";

const CAMERA: Camera = {
  state: "streaming",
  format: "mjpeg",
  width: 1280,
  height: 720,
  asked_fps: 30,
  measured_fps: 29.46,
};

const HEALTH: Health = { temperature_c: 61.4, throttled: false, shed: "nothing", camera: CAMERA };

function rig(health: Partial<Health> | null, more: Partial<Rig> = {}): Rig {
  const self_test = "passed: 9 of 9";
  return { rig: "rig-1", site: "north", link: "online", self_test, health: health && { ...HEALTH, ...health }, ...more };
}

const texts = (of: Rig) => condition(of).map((said) => said.text);
const bad = (of: Rig) => condition(of).flatMap((said) => (said.bad ? [said.text] : []));

describe("the line of a rig", () => {
  it("is quiet where all is well", () => {
    expect(texts(rig({}))).toEqual(["camera 1280×720 mjpeg, 29.5 a second", "61 °C", "self-test passed: 9 of 9"]);
    expect(bad(rig({}))).toEqual([]);
    expect(bad(rig({ camera: null, throttled: null }))).toEqual([]);
  });

  it("says first what is wrong", () => {
    const ill = rig({ temperature_c: 83.6, shed: "half-rate" }, { self_test: "failed: camera" });
    expect(texts(ill)).toEqual([
      "looks at every second frame, without attributes and person boxes",
      "hot: 84 °C",
      "self-test failed: camera",
      "camera 1280×720 mjpeg, 29.5 a second",
    ]);
    expect(bad(rig({ throttled: true, temperature_c: 70 }))).toEqual(["slowed down for heat or want of power, 70 °C"]);
    expect(bad(rig({ throttled: true, temperature_c: null }))).toEqual(["slowed down for heat or want of power"]);
  });

  it("says what the camera does", () => {
    const of = (state: CameraState, more: Partial<Camera> = {}) => rig({ camera: { ...CAMERA, state, ...more } });
    expect(bad(of("unplugged"))).toEqual(["no camera"]);
    expect(bad(of("stalled"))).toEqual(["camera gives no frames"]);
    expect(bad(of("failing"))).toEqual(["camera cannot be used: the rig's log says why"]);
    expect(bad(of("streaming", { measured_fps: 11.7 }))).toEqual(["camera gives 11.7 of 30 frames a second"]);
    expect(bad(of("streaming", { measured_fps: 0 }))).toEqual([]);
    expect(texts(of("starting"))[0]).toBe("camera starting");
    expect(texts(of("off"))[0]).toBe("camera off");
  });

  it("says nothing of a rig that is gone, or has told nothing", () => {
    expect(texts(rig({ shed: "half-rate" }, { link: "offline", self_test: "failed: camera" }))).toEqual([]);
    expect(texts(rig(null, { self_test: null }))).toEqual([]);
  });
});
