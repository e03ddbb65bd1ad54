#!/usr/bin/env python3
"""Fits [eyes] of base.toml: the chance that an eye centre lies within 8 px of the truth, given that it is the right face.

Rows: both eyes of every still of lfpw68, and of every sixth annotated frame of zju, where the read face is the annotated
one; each counted also as if its picture were 2, 3, 4 and 6 times larger, since at their own size none is more than 8 px
off. lfpw68 and zju weigh alike. Deterministic: no sampling, folds by person (lfpw68: ten folds of stills)."""
import json, sys
import fitting

NEAR_PX = 8
SCALES = (1, 2, 3, 4, 6)
EVERY = 6
STRENGTH = 1.0


def main():
    a = fitting.arguments(__doc__)
    import numpy as np
    import score as ruler
    import track

    rows = []                                                             # features, right, group, scale
    faces = {}                                                            # set: [annotated faces read, faces read]

    def add(name, group, points, true_left, true_right):
        found = np.isfinite(points[:, 0, 0])
        left, right, turn = track.centre(points, track.LEFT), track.centre(points, track.RIGHT), track.yaw(points)
        apart = np.linalg.norm(left - right, axis=1)
        middle_off = np.linalg.norm((left + right - true_left - true_right) / 2, axis=1)
        same = found & (middle_off <= np.linalg.norm(true_left - true_right, axis=1))
        faces[name] = np.add(faces.get(name, (0, 0)), (same.sum(), found.sum()))
        for point, true in ((left, true_left), (right, true_right)):
            off = np.linalg.norm(point - true, axis=1)
            for scale in SCALES:
                rows.extend(([np.log(NEAR_PX / (scale * apart[i])), abs(turn[i]) / 45], scale * off[i] <= NEAR_PX, group(i), scale) for i in np.nonzero(same)[0])

    stills = json.loads((a.data / "lfpw68/truth.json").read_text())
    add("lfpw68", lambda i: f"lfpw68 {i % 10}", track.still_points(a.cache, "lfpw68", [a.data / "lfpw68" / r["image"] for r in stills]),
        np.array([r["subject_left_eye"] for r in stills]), np.array([r["subject_right_eye"] for r in stills]))
    for key, r in json.loads((a.data / "zju/truth.json").read_text()).items():
        tagged = [(int(f), e) for f, e in r["eyes"].items() if e[:2] != e[2:]][::EVERY]       # image-left = the right eye first
        points = track.clip_points(a.cache, dict(set="zju", name=key, path=a.data / "zju" / r["video"]))
        add("zju", lambda i: f"zju {r['subject']}", points[[f for f, _ in tagged]],
            np.array([e[2:] for _, e in tagged], float), np.array([e[:2] for _, e in tagged], float))

    x, right, group, scale = (np.array(column) for column in zip(*rows))
    lfpw = np.char.startswith(group, "lfpw68")
    weight = np.where(lfpw, 1., lfpw.sum() / (~lfpw).sum())
    for name, (same, found) in faces.items():
        print(f"{name}: {same} of {found} faces read are the annotated one")
    same, found = sum(faces.values())
    print(f"both: {same} of {found}, {same / found:.3f}; base.toml's ceiling was set by hand next to this")

    def fit(rows):
        return fitting.logistic(x[rows], right[rows], weight[rows], STRENGTH, x[rows].mean(0), x[rows].std(0), max_iter=1000)

    p = fitting.left_out(x, right, group, fit)
    print("one person left out at a time:")
    for name, of in (("own size", scale == 1), ("own size, lfpw68", (scale == 1) & lfpw), ("4 times larger", scale == 4), ("6 times larger", scale == 6), ("all five sizes", scale > 0)):
        print(f"  {name}: {int(of.sum())} eyes, {right[of].mean():.3f} right, mean confidence {p[of].mean():.3f}, calibration error {ruler.ece(p[of], right[of]):.3f}")
    return fitting.compare(a.against, "eyes", ("ln(8 px/apart)", "|yaw|/45"), fit(slice(None)), x)


if __name__ == "__main__":
    sys.exit(main())
