#!/usr/bin/env python3
"""Fits the calibration of looks at a face: from what the occlusion reader says to the probability that it is covered.

  python fit_occlusion.py [DATA] [--work DIR] [--points CACHE] [--card card.toml] [--pictures DIR]

Rows: looks at real pictures, plain and degraded (looks.py), a quarter of a second apart, and as many drawn ones (synthetic:
faces that the network was not fitted on). Groups (clips, sets of stills, synthetic) weigh alike. Printed are the cross-
validated calibration error (one group left out at a time), what is wrong and confident under each condition, and every clip.
Exit status 1 where the numbers are not those of the card."""
import argparse
import sys
import tomllib
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("data", nargs="?", type=Path, default=ROOT / "../shared/data")
ap.add_argument("--work", type=Path, default=ROOT / ".rigel/occlusion")
ap.add_argument("--points", type=Path, default=ROOT / ".rigel/calibration")
ap.add_argument("--card", type=Path, default=HERE / "card.toml")
ap.add_argument("--model", type=Path, default=HERE / "occlusion_reader.tflite")
A = ap.parse_args()
import faces                                                    # noqa: E402
import looks                                                    # noqa: E402
import occluders                                                # noqa: E402
from ai_edge_litert.interpreter import Interpreter              # noqa: E402
from sklearn.linear_model import LogisticRegression             # noqa: E402

RANGES = ((-8., 8.), (0., 1.3), (-3., 1.), (-2., 1.))
SOFT = .002                                                     # nobody is surer than this


def read(model, crops):
    """Logits of every crop (right eye, left eye, mouth, face), and the deviation of its light."""
    it = Interpreter(str(model), num_threads=1)
    it.allocate_tensors()
    i0, o0 = it.get_input_details()[0]["index"], it.get_output_details()[0]["index"]
    out, contrast = [], []
    for x in crops.astype(np.float32):
        contrast.append(x.std())
        it.set_tensor(i0, ((x - x.mean()) / max(contrast[-1], .02 * 255))[None, ..., None])
        it.invoke()
        out.append(it.get_tensor(o0)[0].copy())
    return np.array(out), np.array(contrast)


def features(z, yaw, side, contrast):
    """Logit; turn of the head over 45 degrees; ln of the face's side over 128 px; ln of the crop's deviation over 50."""
    f = np.stack([z, np.abs(yaw) / 45, np.log(side / 128), np.log(np.maximum(contrast, 1) / 50)], 1)
    return np.clip(f, *np.array(RANGES).T)


def fit(x, t, w):
    m = LogisticRegression(C=1.0).fit(x, t, sample_weight=w)
    return np.r_[m.intercept_, m.coef_[0]]


def probability(c, x):
    return 1 / (1 + np.exp(-(c[0] + x @ c[1:])))


def error(p, t, w):
    """Expected calibration error in ten bins of the confidence of what would be said."""
    conf, right = np.maximum(p, 1 - p), (p > .5) == t
    bins = np.minimum(((conf - .5) * 20).astype(int), 9)
    return sum(abs(np.average(conf[k], weights=w[k]) - np.average(right[k], weights=w[k])) * w[k].sum() for b in range(10) if (k := bins == b).any()) / w.sum()
