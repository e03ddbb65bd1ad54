#!/usr/bin/env python3
"""Fits [parameters] of card.toml: where the measures of a picture stand at the borders of the rubric, and how far off they are.

The rubric (docs/video-quality.md) defines levels by the strength of a fault. So pictures without faults (large photographs
and frames, made smaller until the eyes are 36 to 66 pixels apart) get faults of known strength, alone and together, and the
worst decides. Exposure is what is measured: nothing there is fitted. Blur: linear regression of its logarithm on fine
detail at three scales. Noise and blocks: the border that best parts pictures above and below a strength. Spread of each:
maximum likelihood on people who were left out of borders and regression, one at a time, times WIDENED: sixteen people are few,
and with the likeliest spread the others were told too surely (calibration error 0.07). That one number was set by the check.
Measured by the firmware's own code; fitted on one half of the people, checked on the other; see ../light/README.md."""
import argparse, json, sys, tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "light")]
import cv2
import numpy as np
import pictures

# Strength at the borders of levels 5|4, 4|3, 3|2, 2|1.
RUBRIC = {"sharpness": (.022, .040, .070, .12), "noise": (3, 6, 11, 20), "blocks": (70, 40, 20, 8), "face-size": (45, 30, 20, 12),
          "white": (.02, .06, .15, .30), "brightness": (110, 80, 52, 30), "contrast": (60, 42, 28, 16)}
MORE_IS_BETTER = {"blocks", "face-size", "brightness", "contrast"}
ADDED = {"noise": .3, "blocks": .3, "white": .01}           # before the logarithm; as in firmware/rigeld/src/quality.rs
LINEAR = {"brightness", "contrast"}
WIDENED = 1.8
SEED, SPREAD_OF_EXPOSURE, UNBLURRED, THRESHOLD = 11, .04, .008, .6
BLUR, NOISE = (.012, .018, .025, .035, .045, .06, .08, .11, .15), (2, 3.5, 5, 7, 9, 12, 16, 22, 30)
JPEG, EXPOSURE = (92, 80, 65, 50, 38, 30, 22, 15, 10, 6), (.5, .3, .18, .1, .05, 1.4, 1.9, 2.7)
STRENGTHS = dict(blur=BLUR, noise=NOISE, jpeg=JPEG, exposure=EXPOSURE)


def bases(data):
    """(person, picture, distance between the eyes) without a fault to speak of, once made smaller."""
    for still in json.loads((data / "lfpw68/truth.json").read_text()):
        if still["iod"] >= 85:
            yield "lfpw" + Path(still["image"]).stem[-4:], cv2.imread(str(data / "lfpw68" / still["image"])), still["iod"]
    for name, wanted in (("video1", (5, 150, 200, 300)), ("video3", (2, 90))):
        for index, frame in enumerate(pictures.frames(data / f"driver_incar/{name}.mp4")):
            if index in wanted:
                yield name, frame, 150


def degraded(rng, picture, eyes, fault, strength):
    if fault == "blur":
        return cv2.GaussianBlur(picture, (0, 0), strength * eyes)
    if fault == "noise":
        return np.clip(picture + rng.normal(0, strength, picture.shape[:2])[..., None] + rng.normal(0, strength / 3, picture.shape), 0, 255).astype(np.uint8)
    if fault == "jpeg":
        return cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(strength)])[1], cv2.IMREAD_COLOR)
    return np.clip(picture * strength, 0, 255).astype(np.uint8)


def measure(data):
    """Rows: person, distance between the eyes, faults, what was measured."""
    rng, reader, rows = np.random.default_rng(SEED), pictures.Reader("face"), []

    def row(group, eyes, faults, picture):
        look = reader.read(picture)
        look.pop("shade")
        rows.append((group, int(eyes), faults, look))
    for group, whole, eyes in bases(data):
        def smaller(to):
            return cv2.resize(whole, None, fx=to / eyes, fy=to / eyes, interpolation=cv2.INTER_AREA)
        for to in (54, int(rng.choice([36, 48, 60, 66]))):
            if to / eyes > .72:
                continue
            base = smaller(to)
            if max(base.shape) > 1000:
                continue
            plans = [[]]
            for fault, strengths in STRENGTHS.items():
                plans += [[(fault, float(s))] for s in rng.choice(strengths, 2 if fault == "exposure" else 3, replace=False)]
            for _ in range(3):
                faults = [f for f in ("blur", "exposure", "noise", "jpeg") if rng.random() < .5]
                plans.append([(f, float(rng.choice(STRENGTHS[f]))) for f in faults])
            for plan in plans:
                picture = base
                for fault, strength in plan:
                    picture = degraded(rng, picture, to, fault, strength)
                row(group, to, dict(plan), picture)
        for to in rng.choice([44, 30, 24, 18, 14, 10], 2, replace=False):
            row(group, to, {}, smaller(to))
    return rows


def scaled(factor, value):
    return np.asarray(value, float) if factor in LINEAR else np.log(np.maximum(np.asarray(value, float) + ADDED.get(factor, 0), 1e-4))


def score(factor, value, borders):
    """As in firmware/rigeld/src/quality.rs: 4.5 at the first border, 1.5 at the last, straight lines between and beyond."""
    at, value = scaled(factor, borders), scaled(factor, value)
    worse = [(value - at[k]) * np.sign(at[3] - at[0]) > 0 for k in (1, 2)]
    piece = worse[0].astype(int) + worse[1]
    return np.clip(4.5 - piece - (value - at[piece]) / (at[piece + 1] - at[piece]), .5, 5.5)


def levels(scores, spreads):
    """Probability of each level, 1 to 5: of every factor's being at least that good."""
    at_least = np.ones((6, len(next(iter(scores.values())))))
    at_least[5] = 0
    for factor, s in scores.items():
        for k in range(1, 5):
            at_least[k] /= 1 + np.exp((k + .5 - s) / spreads[factor])
    return at_least[:-1] - at_least[1:]


def border(values, good):
    """The value that leaves the smallest shares of good ones above and bad ones below; the middle of equals."""
    errors = []
    for t in np.quantile(values, np.linspace(.005, .995, 400)):
        errors.append((round((values > t)[good].mean() + (values <= t)[~good].mean(), 9), t))
    best = min(errors)[0]
    equal = [t for e, t in errors if e == best]
    return (equal[0] + equal[-1]) / 2


class Rows:
    def __init__(self, rows):
        rows = [r for r in rows if r[3]["face"]]
        self.group = np.array([r[0] for r in rows])
        fault = {f: np.array([r[2].get(f, none) for r in rows]) for f, none in (("blur", 0), ("noise", 0), ("jpeg", 100), ("exposure", 1))}
        eyes, look = np.array([r[1] for r in rows]), [r[3] for r in rows]
        tones = np.array([k["tones"] for k in look])
        self.measure = {"noise": np.array([k["noise"] for k in look]), "blocks": np.array([k["blockiness"] for k in look]), "face-size": np.array([k["eye_distance"] for k in look]),
                        "white": np.array([k["bright_share"] for k in look]), "brightness": tones[:, 2], "contrast": tones[:, 2] - tones[:, 0]}
        self.detail = np.array([[1, *k["fine_detail"], np.log(k["step_share"])] for k in look])
        self.strength = {"sharpness": fault["blur"], "noise": fault["noise"], "blocks": fault["jpeg"], "face-size": eyes, **{f: self.measure[f] for f in ("white", "brightness", "contrast")}}
        by_factor = [5 - sum((s < b) if f in MORE_IS_BETTER else (s > b) for b in RUBRIC[f]) for f, s in self.strength.items()]
        self.truth = np.min(by_factor, 0)
        self.for_blur = (fault["noise"] < 6) & (fault["exposure"] > .15) & (eyes >= 30) & (fault["jpeg"] > 10)
        self.for_noise = (fault["blur"] == 0) & (fault["jpeg"] > 60) & (fault["exposure"] > .2)
        self.for_blocks = fault["noise"] < 3

    def fit(self, on):
        """Blur regression and borders from these rows."""
        m, blur = on & self.for_blur, self.strength["sharpness"]
        weight = np.sqrt(np.where(blur > 0, 1, .35))[m]
        coefficients = np.linalg.lstsq(self.detail[m] * weight[:, None], np.log(np.maximum(blur, UNBLURRED))[m] * weight, rcond=None)[0]
        borders = dict(RUBRIC)
        m = on & self.for_noise
        borders["noise"] = [border(self.measure["noise"][m], self.strength["noise"][m] <= b) for b in RUBRIC["noise"]]
        m = on & self.for_blocks
        borders["blocks"] = [border(self.measure["blocks"][m], self.strength["blocks"][m] >= b) for b in RUBRIC["blocks"]]
        return coefficients, borders

    def scores(self, fitted):
        coefficients, borders = fitted
        values = {"sharpness": np.exp(self.detail @ coefficients), **self.measure}
        return {f: score(f, values[f], borders[f]) for f in RUBRIC}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("data", nargs="?", type=Path, default=pictures.ROOT / "../shared/data")
    p.add_argument("--cache", type=Path, default=pictures.ROOT / ".rigel/light")
    p.add_argument("--against", type=Path, default=HERE / "card.toml")
    a = p.parse_args()
    rows = Rows(pictures.kept(a.cache / "video-quality.json", lambda: measure(a.data)))
    fitted = np.array([int(g[-4:]) % 2 == 1 if g.startswith("lfpw") else g == "video3" for g in rows.group])
    whole = rows.fit(fitted)
    # Spread: of people that borders and regression did not see.
    unseen = {f: np.full(len(rows.truth), np.nan) for f in RUBRIC}
    for g in sorted(set(rows.group[fitted])):
        out = rows.group == g
        for f, s in rows.scores(rows.fit(fitted & ~out)).items():
            unseen[f][out] = s[out]
    spreads = {f: SPREAD_OF_EXPOSURE if f in ("white", "brightness", "contrast") else .1 for f in RUBRIC}
    seen = {f: s[fitted] for f, s in unseen.items()}
    for _ in range(3):
        for f in ("sharpness", "noise", "blocks", "face-size"):
            tries = [(-np.log(np.maximum(levels(seen, {**spreads, f: v})[rows.truth[fitted] - 1, np.arange(fitted.sum())], 1e-3)).mean(), v) for v in np.arange(.04, .8, .02)]
            spreads[f] = float(min(tries)[1])
    for f in ("sharpness", "noise", "blocks", "face-size"):
        spreads[f] *= WIDENED
    probability = levels(rows.scores(whole), spreads)
    level, confidence = probability.argmax(0) + 1, probability.max(0)
    for what, of in (("people fitted on", fitted), ("other people", ~fitted)):
        right, offered = (level == rows.truth)[of], (confidence >= THRESHOLD)[of]
        print(f"{what}: {of.sum()} pictures of {len(set(rows.group[of]))}, level right {right.mean():.3f}, at most one off {(abs(level - rows.truth) <= 1)[of].mean():.3f}, "
              f"calibration error {pictures.calibration_error(confidence[of], right):.3f}, offered {offered.mean():.2f}, of these right {right[offered].mean():.3f}, "
              f"wrong at 0.9 and more {(~right & (confidence[of] >= .9)).mean():.4f}")
    return compare(a.against, whole, spreads)


def compare(path, fitted, spreads):
    """Prints fitted beside written numbers; the exit status: 0 where all agree to three digits."""
    written, (coefficients, borders) = tomllib.loads(path.read_text())["parameters"], fitted
    pairs = [("blur bias", coefficients[0], written["blur"]["bias"])]
    pairs += [(f"blur weight {k}", c, w) for k, (c, w) in enumerate(zip(coefficients[1:], written["blur"]["weights"]))]
    for f in RUBRIC:
        pairs += [(f"{f} border {k}", b, w) for k, (b, w) in enumerate(zip(borders[f], written[f]["borders"]))]
        pairs.append((f"{f} spread", spreads[f], written[f]["spread"]))
    differ = [(name, got, has) for name, got, has in pairs if abs(got - has) > 6e-4 * max(1, abs(has))]
    for name, got, has in differ:
        print(f"{name:20s} {got:9.4f}  {has}   DIFFERS")
    print(f"[parameters] " + (f"{len(differ)} of {len(pairs)} numbers DIFFER from {path.name}" if differ else f"equals {path.name}"))
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
