// How a rig fares, in words.

import type { Camera, Health, Rig } from "./model";

/** A part of the line; `bad` where somebody should see to it. */
export interface Said {
  text: string;
  bad: boolean;
}

/** From here on a rig is hot: a Raspberry Pi slows down at 80 °C. */
const HOT_C = 80;
/** Fewer frames than this share of what was asked for are too few. */
const FEW = 0.85;

/** Everything there is to say, what is wrong first. Of a rig that is gone nothing is said: what it told is over. */
export function condition(rig: Rig): Said[] {
  const said = rig.link === "online" ? [...(rig.health === null ? [] : health(rig.health)), ...selfTest(rig)] : [];
  return [...said.filter((one) => one.bad), ...said.filter((one) => !one.bad)];
}

function health({ camera: seen, shed, temperature_c, throttled }: Health): Said[] {
  const said = seen === null ? [] : [camera(seen)];
  const out = leftOut(shed);
  if (out !== null) said.push({ text: out, bad: true });
  const degrees = temperature_c === null ? null : `${Math.round(temperature_c)} °C`;
  if (throttled === true) {
    const at = degrees === null ? "" : `, ${degrees}`;
    said.push({ text: `slowed down for heat or want of power${at}`, bad: true });
  } else if (degrees !== null && temperature_c !== null) {
    said.push(temperature_c >= HOT_C ? { text: `hot: ${degrees}`, bad: true } : { text: degrees, bad: false });
  }
  return said;
}

function camera(seen: Camera): Said {
  switch (seen.state) {
    case "streaming": {
      const [asked, measured] = [seen.asked_fps, seen.measured_fps].map((fps) => Math.round(fps * 10) / 10);
      // Nothing was measured yet.
      if (measured !== 0 && seen.measured_fps < FEW * seen.asked_fps) {
        return { text: `camera gives ${measured} of ${asked} frames a second`, bad: true };
      }
      const rate = measured === 0 ? "" : `, ${measured} a second`;
      return { text: `camera ${seen.width}×${seen.height} ${seen.format}${rate}`, bad: false };
    }
    case "starting":
      return { text: "camera starting", bad: false };
    case "off":
      return { text: "camera off", bad: false };
    case "stalled":
      return { text: "camera gives no frames", bad: true };
    case "unplugged":
      return { text: "no camera", bad: true };
    case "failing":
      return { text: "camera cannot be used: the rig's log says why", bad: true };
  }
}

function leftOut(shed: string): string | null {
  switch (shed) {
    case "nothing":
      return null;
    case "attributes":
      return "leaves out attributes";
    case "person-box":
      return "leaves out attributes and person boxes";
    case "half-rate":
      return "looks at every second frame, without attributes and person boxes";
    case "quarter-rate":
      return "looks at every fourth frame, without attributes and person boxes";
    default:
      return `leaves out ${shed}`;
  }
}

function selfTest({ self_test }: Rig): Said[] {
  if (self_test === null) return [];
  return [{ text: `self-test ${self_test}`, bad: !self_test.startsWith("passed") }];
}
