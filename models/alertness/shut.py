#!/usr/bin/env python3
"""How far a shut eye is shut, to the mesh: openings in the annotated, fully shut frames of zju, as shares of the open eye.

  python shut.py DATA [--points CACHE]

DATA   the development data folder, for zju/truth.json
CACHE  mesh points of every clip, as models/calibration/ keeps them (default .rigel/calibration/plain: run fit_blink.py once)
The open eye is the opening that a clip's frames stay below for 80 % of the time. Needs numpy.
"""
import argparse
import json
from pathlib import Path

import numpy as np

arguments = argparse.ArgumentParser(usage=__doc__)
arguments.add_argument("data", type=Path)
arguments.add_argument("--points", type=Path, default=Path(".rigel/calibration/plain"))
arguments = arguments.parse_args()

# Outer and inner corner, lids paired from the outer to the inner corner, as in firmware/perception/src/eyes.rs.
EYES = [
    (33, 133, [(161, 163), (160, 144), (159, 145), (158, 153), (157, 154)]),
    (263, 362, [(388, 390), (387, 373), (386, 374), (385, 380), (384, 381)]),
]


def opening(points):
    """Mean lid gap over the corners' distance, mean of both eyes, a frame."""
    eyes = []
    for outer, inner, lids in EYES:
        width = np.linalg.norm(points[:, outer] - points[:, inner], axis=1)
        gap = np.mean([points[:, lower, 1] - points[:, upper, 1] for upper, lower in lids], axis=0)
        eyes.append(gap / width)
    return np.mean(eyes, axis=0)


truth = json.loads((arguments.data / "zju/truth.json").read_text())
shut, medians = [], []
for name, clip in truth.get("clips", truth).items():
    points = np.load(arguments.points / f"zju__{Path(name).stem}.npy")
    openings = opening(points)
    share = openings / np.nanpercentile(openings, 80)
    ranges = [blink["closed"] for blink in clip["blinks"] if blink.get("closed")]
    shares = np.concatenate([share[start : end + 1] for start, end in ranges] or [[]])
    shares = shares[np.isfinite(shares)]
    if len(shares):
        shut.extend(shares)
        medians.append(np.median(shares))
shut = np.array(shut)
print(f"{len(shut)} shut frames of {len(medians)} clips: median opening {np.median(shut):.2f} of the open eye, "
      f"{(shut < 0.5).mean():.1%} below 0.5; medians of clips {min(medians):.2f} to {max(medians):.2f}")
