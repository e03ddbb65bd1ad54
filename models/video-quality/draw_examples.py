#!/usr/bin/env python3
"""Draws the example pictures of docs/video-quality.md: one strip a fault, levels 5 to 1 from left to right.

Each picture lies in the middle of its level as the rubric has it. Made from the golden clip (../golden/README.md says whose
portrait that is and that it may be used)."""
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
import cv2
import numpy as np

EYES = 63.0                                              # pixels between the eyes in the near view of the golden clip
FRAME, TILE = 8, (176, 208)
STRENGTHS = {"sharpness": (0, .03, .053, .092, .16), "noise": (0, 4.3, 8.2, 15, 30), "blocks": (90, 53, 29, 13, 5),
             "white": (1, 1.35, 1.6, 2.1, 3.2), "brightness": (1, .41, .28, .18, .08), "contrast": (1, .32, .22, .14, .07), "face-size": (63, 37, 24, 15, 9)}


def fault(rng, picture, which, strength):
    if which == "sharpness":
        return cv2.GaussianBlur(picture, (0, 0), strength * EYES) if strength else picture
    if which == "noise":
        return np.clip(picture + rng.normal(0, strength, picture.shape[:2])[..., None] + rng.normal(0, strength / 3, picture.shape), 0, 255).astype(np.uint8)
    if which == "blocks":
        return cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, strength])[1], cv2.IMREAD_COLOR)
    if which in ("white", "brightness"):
        return np.clip(picture * strength, 0, 255).astype(np.uint8)
    if which == "contrast":
        return (128 + (picture.astype(float) - 128) * strength).astype(np.uint8)
    small = cv2.resize(picture, None, fx=strength / EYES, fy=strength / EYES, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)


def main():
    out = HERE.parents[1] / "docs/video-quality"
    out.mkdir(exist_ok=True)
    video, rng = cv2.VideoCapture(str(HERE.parent / "golden/clip.mjpeg")), np.random.default_rng(1)
    for _ in range(FRAME):
        _, frame = video.read()
    for which, strengths in STRENGTHS.items():
        tiles = [fault(rng, frame, which, s)[60:60 + 296, 165:165 + 250] for s in strengths]
        strip = np.hstack([cv2.resize(t, TILE, interpolation=cv2.INTER_AREA) for t in tiles])
        cv2.imwrite(str(out / f"{which}.jpg"), strip, [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    sys.exit(main())
