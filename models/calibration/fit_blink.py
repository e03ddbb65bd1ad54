#!/usr/bin/env python3
"""Fits [blink] of base.toml: the chance that a reviewer accepts a detected blink.

Accepted: matched one to one with the truth at temporal IoU 0.5. Rows: the events of every clip as it is, down to
thresholds softer than the appliance's, so that the fit sees errors; and, at a lower weight, the events that the appliance
would tell on degraded copies (every second frame, dark, dark and brightened, half size, two gammas) of zju, focus_webcam
and driver_incar. Deterministic: no sampling, folds by person."""
import sys
from dataclasses import replace
import fitting

STRENGTH = 0.3                        # chosen by hand among STRENGTHS: least calibration error on events of unchanged clips
STRENGTHS = (.01, .03, .1, .3, 1., 3.)
COPY_WEIGHT = 0.35
COPIED_SETS = ("zju", "focus_webcam", "driver_incar")


def every_second(clip_truth, first, frames):
    """The truth of a clip of which only the frames first, first + 2, ... are kept."""
    def kept(a, b):
        return -(-(a - first) // 2), (b - first) // 2
    t = dict(clip_truth, blinks=[q for q in (kept(*b) for b in clip_truth["blinks"]) if q[1] >= q[0] >= 0],
             ignore=[kept(*b) for b in clip_truth["ignore"]])
    if t.get("edge"):
        t["edge"] = (0, frames - 1)
    return t


def judged(ruler, truth, events):
    """(event, accepted) of each event; those where truth is silent are dropped."""
    spans, blinks = [e["frames"] for e in events], sorted(truth["blinks"])
    hits = {j for _, j in ruler.match_spans(blinks, spans, .5)}
    for j, event in enumerate(events):
        near_truth = any(ruler.overlap(spans[j], b) for b in blinks)      # wrong bounds are an error even where a miss is not
        if j in hits or near_truth or not ruler.unscored(truth, spans[j]):
            yield event, j in hits


def main():
    a = fitting.arguments(__doc__)
    import numpy as np
    import score as ruler
    import blink, track

    rules = blink.Rules()
    soft = replace(rules, blink_depth=.10, noise_deviations=3., depth_per_degree=.006, edge_depth=.25, slow_depth=.25)
    clips = track.blink_clips(a.data, ruler)
    # rows of the fit, named by what was done to the clip: mesh points used, first frame, step
    sources = {"native": ("plain", 0, 1), "second-0": ("plain", 0, 2), "second-1": ("plain", 1, 2)}
    sources |= {copy: (copy, 0, 1) for copy in track.COPIES if copy != "plain"}
    rows = []                                                             # features, accepted, person, source, told, set
    for source, (copy, first, step) in sources.items():
        for clip in clips:
            if copy != "plain" and clip["set"] not in COPIED_SETS:
                continue
            signal = track.eye_signal(track.clip_points(a.cache, clip, copy), clip["rate"])[first::step]
            truth = every_second(clip["truth"], first, len(signal)) if step == 2 else clip["truth"]
            detector = blink.Detector(soft)
            events = [e for frame in signal for e in detector.observe(*frame)] + detector.finish()
            for e, accepted in judged(ruler, truth, events):
                told = e["depth"] >= rules.needed_depth(e["turn"], e["noise"], e["edge"], e["width"])
                if told or source == "native":
                    rows.append((blink.features(e), accepted, clip["person"], source, told, clip["set"]))
    x, right, person, source, told, origin = (np.array(column) for column in zip(*rows))
    native = source == "native"
    weight = np.where(native, 1., COPY_WEIGHT)
    print(f"{len(x)} events, {int((~right).sum())} wrong; told on the clips as they are: {int((told & native).sum())}, {int((told & native & ~right).sum())} wrong")

    def fit(strength, rows=slice(None)):
        x_, w_ = x[rows], weight[rows]
        mean = np.average(x_, 0, w_)
        spread = np.sqrt(np.average((x_ - mean) ** 2, 0, w_)) + 1e-6
        return fitting.logistic(x_, right[rows], w_, strength, mean, spread, max_iter=2000, tol=1e-8)

    print("one person left out at a time:")
    for strength in STRENGTHS:
        p = fitting.left_out(x, right, person, lambda rows: fit(strength, rows))
        loss = -np.mean(np.log(np.where(right, p, 1 - p)))
        print(f"  C {strength:<4g} log loss {loss:.4f}; calibration error as they are {ruler.ece(p[native & told], right[native & told]):.3f}, "
              f"copies {ruler.ece(p[~native], right[~native]):.3f}, all rows {ruler.ece(p, right):.3f}")
        if strength == STRENGTH:
            chosen = p
    for name in sorted(set(origin)):
        rows = native & told & (origin == name)
        if rows.any():
            print(f"  {name}: {int(rows.sum())} events, {right[rows].mean():.3f} right, mean confidence {chosen[rows].mean():.3f}, calibration error {ruler.ece(chosen[rows], right[rows]):.3f}")
    for threshold in (.3, .4, .5, .6, .7):
        all_, keep = native & told, native & told & (chosen >= threshold)
        print(f"  threshold {threshold}: keeps {int(keep.sum())} of {int(all_.sum())}, {right[keep].mean():.3f} right; left out {int((all_ & ~keep).sum())}, of them right {int((all_ & ~keep & right).sum())}")
    return fitting.compare(a.against, "blink", blink.FEATURES, fit(STRENGTH), x)


if __name__ == "__main__":
    sys.exit(main())
