#!/usr/bin/env python3
"""Fits [person] of base.toml: the chance that a person box reaches IoU 0.8 with the truth.

Rows: detections on the photographs of coco_person, and the driver's box on the annotated frames of incabin and the stills
of cabin (other people there have no truth); each picture as it is and in eight copies made worse or mirrored, which weigh
together as two. The frames of one clip, and the stills of the one cabin camera, weigh together as three photographs.
Cross-validated by photograph and clip, copies with their original: 10 folds, dealt anew with seeds 0 to 4, the five
probabilities averaged. Of near, lone people (large, cut by the lower edge, as a driver is) the score counts up to a limit, one of
four that are compared: in real cars a stronger score says no more. A picture flatter than nine in ten of these, or without
colour, as a near-infrared camera's, makes a score too sure: both are features. No cache: it takes two minutes on one core.

The fit is small and the detector's scores come in coarse steps, so a picture resized with other rounding moves it in the
second digit. base.toml was fitted with numpy's sums split over two threads (fitting.py sets that); a machine with one core,
or with other vector instructions, may print DIFFERS for this reason alone."""
import json, sys
import fitting

LEAST_SCORE = 0.30                    # as the appliance asks
ACCEPTED_IOU = 0.8
DRIVER_IOU = 0.4                      # less in common with the driver's box: somebody else
STRENGTH = 1.0
CLIP_WEIGHT, COPY_WEIGHT = 3.0, 0.25
FOLDS, SEEDS = 10, range(5)
CABIN_ROWS = 480                      # below these the camera writes its clock
SUREST = 0.895                        # no box is called surer: of those that the fit calls 0.9 and surer 0.95 are right as
                                      # they are, but 0.87 on the copies. base.toml holds ln odds to where this is reached
LEAST_CONFIDENCE = 0.60               # base.toml's threshold
NEAR_LIMITS = (-.5, 0., .3, .6)       # log odds; the last line: no limit
NEAR_LIMIT = 0.                       # the appliance's: of these the one of least calibration error, as they are and over all copies


def pictures(data, cv2):
    """(set, group, RGB picture, boxes of the people in it)"""
    def truth(folder):
        return json.loads((data / folder / "truth.json").read_text())

    def rgb(bgr):
        return bgr[:, :, ::-1].copy()
    for name, r in truth("coco_person").items():
        yield "coco_person", name, rgb(cv2.imread(str(data / "coco_person" / name))), r["persons_xyxy"]
    for clip, r in truth("incabin")["clips"].items():
        video, frame = cv2.VideoCapture(str(data / "incabin" / f"{clip}.mp4")), 0
        while True:
            ok, picture = video.read()
            if not ok:
                break
            if str(frame) in r["driver_box"]:
                yield "incabin", clip, rgb(picture), [r["driver_box"][str(frame)]]
            frame += 1
    for name, r in truth("cabin")["stills"].items():
        yield "cabin", "cabin", rgb(cv2.imread(str(data / "cabin" / name))[:CABIN_ROWS]), [r["person_xyxy"]]


def copies(picture, boxes, cv2, np):
    """(name, picture, boxes): as it is first."""
    width = picture.shape[1]

    def gamma(power):
        return (255 * (np.arange(256) / 255) ** power).round().astype(np.uint8)[picture]
    dark = np.clip(picture * .2 + np.random.default_rng(0).normal(0, 4, picture.shape), 0, 255).astype(np.uint8)
    grey = (60 + .5 * cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)).astype(np.uint8)
    jpeg = cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 15])[1], cv2.IMREAD_COLOR)
    yield "as it is", picture, boxes
    yield "mirrored", picture[:, ::-1].copy(), [np.array([width - b[2], b[1], width - b[0], b[3]]) for b in boxes]
    yield "half size", cv2.resize(picture, None, fx=.5, fy=.5, interpolation=cv2.INTER_AREA), [b / 2 for b in boxes]
    for name, changed in (("gamma 0.5", gamma(.5)), ("gamma 2", gamma(2.)), ("blurred", cv2.GaussianBlur(picture, (0, 0), 2)),
                          ("dark", dark), ("grey and flat", np.repeat(grey[..., None], 3, 2)), ("JPEG 15", jpeg)):
        yield name, changed, boxes


def detections(a, cv2, np):
    """A row each: score, covered, near, flat, grey, IoU, whether of the picture's largest person, group, set, copy."""
    import people
    finder = people.People(a.models)
    for origin, group, picture, boxes in pictures(a.data, cv2):
        for copy, changed, truth in copies(picture, [np.array(b, float) for b in boxes], cv2, np):
            largest, free = max(truth, key=people.area), list(truth)
            for d in finder.find(changed, LEAST_SCORE):                   # one to one, the most certain first
                overlaps = [float(people.iou(d["box"], b)) for b in free]
                best, of = max(overlaps, default=0.0), None
                if origin != "coco_person" and best < DRIVER_IOU:
                    continue
                if best >= .5 or origin != "coco_person":
                    of = free.pop(overlaps.index(best))
                yield d["score"], d["covered"], d["near"], d["flat"], d["grey"], best, of is largest, group, origin, copy


def main():
    a = fitting.arguments(__doc__)
    import cv2
    import numpy as np
    import score as ruler

    score, covered, near, flat, grey, overlap, largest, group, origin, copy = (np.array(column) for column in zip(*detections(a, cv2, np)))
    right, plain = overlap >= ACCEPTED_IOU, copy == "as it is"
    odds = np.log(score / (1 - score))
    each = {(g, c): ((group == g) & (copy == c)).sum() for g in set(group) for c in set(copy)}
    weight = np.array([(1. if o == "coco_person" else min(1., CLIP_WEIGHT / each[g, c])) * (1. if c == "as it is" else COPY_WEIGHT)
                       for g, o, c in zip(group, origin, copy)])
    print(f"{plain.sum()} detections and {len(plain) - plain.sum()} on copies: " + ", ".join(
        f"{o} {int((plain & (origin == o)).sum())} ({right[plain & (origin == o)].mean():.2f} right)" for o in sorted(set(origin))))

    def features(limit):
        return np.stack([np.where(near == 1, np.minimum(odds, limit), odds), covered, near, flat, grey], 1)

    def fit(x, rows):
        return fitting.logistic(x[rows], right[rows], weight[rows], STRENGTH, max_iter=1000)

    groups = np.array(sorted(set(group)))

    def cross_validated(x):
        deals = []
        for seed in SEEDS:
            order, p = np.random.default_rng(seed).permutation(len(groups)), np.zeros(len(x))
            for k in range(FOLDS):
                out = np.isin(group, groups[order[k::FOLDS]])
                p[out] = np.minimum(fitting.probability(fit(x, ~out), x[out]), SUREST)
            deals.append(p)
        return np.mean(deals, 0)

    p = cross_validated(features(NEAR_LIMIT)[:, :3])
    print("without flat and grey, calibration error: " + ", ".join(
        f"{c} {ruler.ece(p[k], right[k]):.3f}" for c in dict.fromkeys(copy) if (k := (copy == c) & (p >= LEAST_CONFIDENCE)).any()))
    for limit in (*NEAR_LIMITS, np.inf):
        p = cross_validated(features(limit))
        of, cars = p >= LEAST_CONFIDENCE, plain & (origin == "incabin") & (p >= LEAST_CONFIDENCE)
        print(f"  score of near people up to ln odds {limit}: calibration error {ruler.ece(p[of & plain], right[of & plain]):.3f}, in cars "
              f"{ruler.ece(p[cars], right[cars]):.3f}, with all copies {ruler.ece(p[of], right[of]):.3f}")
    x = features(NEAR_LIMIT)
    p = cross_validated(x)
    told = p >= LEAST_CONFIDENCE
    photographs = plain & (origin == "coco_person")
    print(f"cross-validated, offered from {LEAST_CONFIDENCE}:")
    named = [("as they are", plain), ("photographs", photographs), ("incabin", plain & (origin == "incabin")), ("with all copies", plain | ~plain)]
    for name, of in named + [(c, copy == c) for c in dict.fromkeys(copy)][1:]:
        of = of & told
        print(f"  {name}: {int(of.sum())} boxes, {right[of].mean():.3f} right, mean confidence {p[of].mean():.3f}, calibration error "
              f"{ruler.ece(p[of], right[of]):.3f}, sure (0.9) and wrong {int(((p >= .9) & ~right & of).sum())}")
    found = photographs & told & largest & (overlap >= .5)
    print(f"  the largest person found in {found.sum()} of {len(set(group[origin == 'coco_person']))} photographs")
    fitted = fit(x, slice(None))
    print(f"{SUREST} is reached at ln odds {(np.log(SUREST / (1 - SUREST)) - fitted[0]) / fitted[1]:.3f}")
    driver = right[plain & (origin == "incabin") & told].mean()           # base.toml holds near to where this is reached
    print(f"{driver:.3f}, the share right in cars, is reached at ln odds {NEAR_LIMIT} and near {(np.log(driver / (1 - driver)) - fitted[0]) / fitted[3]:.3f}")
    return fitting.compare(a.against, "person", ("ln odds", "covered", "near", "flat", "grey"), fitted, x)


if __name__ == "__main__":
    sys.exit(main())
