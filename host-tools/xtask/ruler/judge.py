#!/usr/bin/env python3
"""Judges every kind of label against the development data, as a reviewer working to the quality standard would.

  judge.py calibration --data DIR --pred DIR              how honest confidences are, a kind and a set
  judge.py cars        --data DIR --pred DIR              the real cars, clip by clip
  judge.py stress      --data DIR --folder DIR CONDITION  the same kinds under each condition
  judge.py --self-test

Beside the ruler (`score.py`, whose matching it uses): the ruler scores what was found, this asks of each offered label
whether it would be accepted unchanged, and whether its confidence said so. Accepted means:

  bbox-person        IoU >= 0.8 with a person, one to one; >= 0.65 where the person's longer side is under 100 px
  keypoint-*-eye     within 8 px, on the annotated face; a face without truth is not judged
  blink              matched one to one at temporal IoU >= 0.5; what the ruler leaves out is left out
  wearing-glasses, in-shadow, face-occluded, light-change
                     the value is true of at least 4 in 5 of the label's frames that have truth

One offered label is one row (for boxes and eyes: one frame). `ece`: 10 equal-width bins, as in the ruler; `by chance`: what honest
confidences would show on the mean with as many labels, if each were right with the probability that it says. `sure, wrong`:
confidence >= 0.9 and not accepted, as a share of all judged. Intervals: 95 %, by resampling clips. `coverage`: eyes and
flags: share of true eyes or frames with a value; boxes: share of largest persons, or driver's boxes, found at IoU 0.5;
blinks: share of true blinks found."""
import argparse
import copy
import json
import sys
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import truth as known

SURE, BINS, RESAMPLES = 0.9, 10, 1000
BOX_IOU, SMALL_BOX_IOU, SMALL_PX, SAME_PERSON_IOU = 0.8, 0.65, 100, 0.4
NEAR_PX, EVENT_IOU, AGREES = 8.0, 0.5, 0.8
EYES = ("keypoint-left-eye", "keypoint-right-eye")
KINDS = ("bbox-person", *EYES, "blink", "long-closure", *known.FLAGS, "alertness", "video-quality")
HALF_COUNTS_AS_FOUND = 0.5


def read_lines(path):
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()] if path.is_file() else []


def offered(lines, kind):
    return [line for line in lines if line["kind"] == kind and line["decision"] == "candidate"]


class Rows:
    """What was judged of one kind in one clip."""

    def __init__(self):
        self.lines, self.confidence, self.right, self.what = [], [], [], []
        self.found, self.sought = 0, 0

    def add(self, line, right, what):
        self.lines.append(line), self.confidence.append(line["confidence"]), self.right.append(bool(right)), self.what.append(what)


# ---- one clip

def by_frame(lines, kind):
    out = defaultdict(dict)
    for line in offered(lines, kind):
        out[line["frame"]][line["track"]] = line
    return out


def person_tracks(clip, lines, ruler):
    """Tracks of the annotated person; None: every track is."""
    if not clip.one_of_many:
        return None
    eyes, boxes, tracks = [by_frame(lines, kind) for kind in EYES], by_frame(lines, "bbox-person"), set()
    for frame, pair in clip.eyes.items():
        tracks |= {track for track in {*eyes[0][frame], *eyes[1][frame]} if is_on(pair, [e[frame].get(track) for e in eyes])}
    for frame, truth in clip.boxes.items():
        fits = {track: ruler.box_iou(truth[0], line["box"]) for track, line in boxes[frame].items()}
        if fits and max(fits.values()) >= SAME_PERSON_IOU:
            tracks.add(max(fits, key=fits.get))
    named = {line["track"] for line in lines if line.get("track") is not None}
    return named if len(named) == 1 else tracks


def is_on(pair, lines):
    """Whether given eyes are on the face of true ones: their middle within one distance of the eyes."""
    both = [(t, l["point"]) for t, l in zip(pair, lines) if t and l]
    if not both:
        return False
    apart = np.hypot(*np.subtract(*pair)) if all(pair) else 4 * NEAR_PX
    return np.hypot(*np.mean([np.subtract(t, p) for t, p in both], 0)) <= apart


def judge_eyes(clip, lines, rows):
    given = [by_frame(lines, kind) for kind in EYES]
    for frame, pair in clip.eyes.items():
        tracks = {*given[0][frame], *given[1][frame]}
        on = [t for t in tracks if is_on(pair, [g[frame].get(t) for g in given])]
        for side, kind in enumerate(EYES):
            if pair[side] is None:
                continue
            rows[kind].sought += 1
            candidates = [given[side][frame][t] for t in (on if on or clip.one_of_many else tracks) if t in given[side][frame]]
            if not candidates:
                continue
            line = max(candidates, key=lambda line: line["confidence"])
            error = float(np.hypot(*np.subtract(line["point"], pair[side])))
            rows[kind].found += 1
            rows[kind].add(line, error <= NEAR_PX, f"frame {frame}, {error:.1f} px off")


def judge_boxes(clip, lines, rows, ruler):
    given, r = by_frame(lines, "bbox-person"), rows["bbox-person"]
    for frame, truth in clip.boxes.items():
        free = list(range(len(truth)))
        largest = max(free, key=lambda i: truth[i][2] * truth[i][3])
        fits = defaultdict(float)
        for line in sorted(given[frame].values(), key=lambda line: -line["confidence"]):
            iou, best = max(((ruler.box_iou(truth[i], line["box"]), i) for i in free), default=(0.0, None))
            if clip.one_of_many and iou < SAME_PERSON_IOU:
                continue                         # somebody else, who has no truth
            if best is not None and iou >= HALF_COUNTS_AS_FOUND:
                free.remove(best)
                fits[best] = iou
            small = best is not None and max(truth[best][2:]) < SMALL_PX
            r.add(line, iou >= (SMALL_BOX_IOU if small else BOX_IOU), f"frame {frame}, IoU {iou:.2f}")
        r.sought += 1
        r.found += largest in fits


def judge_blinks(clip, lines, rows, ruler, tracks):
    if clip.blinks is None:
        return
    lines = [l for l in offered(lines, "blink") if tracks is None or l["track"] in tracks]
    guesses, wanted = ruler.merge_eyes(lines), sorted(clip.blinks)
    pairs = ruler.match_spans(wanted, guesses, EVENT_IOU)
    hit, r = {j for _, j in pairs}, rows["blink"]
    silent = {"edge": clip.edge, "ignore": clip.ignore, "closures": clip.closures}
    for j, guess in enumerate(guesses):
        if j in hit or not ruler.unscored(silent, guess):
            r.add({"confidence": guess[2], "frames": guess[:2], "track": track_of(lines, guess)}, j in hit, f"frames {guess[0]}-{guess[1]}")
    r.sought, r.found = len(wanted), len(hit)


def track_of(lines, guess):
    return next(line["track"] for line in lines if guess[0] <= line["frames"][0] <= guess[1])


def judge_flags(clip, lines, rows, tracks):
    for kind, values in clip.flags.items():
        r, covered = rows[kind], set()
        for line in offered(lines, kind):
            if tracks is not None and line.get("track") is not None and line["track"] not in tracks:
                continue
            start, end = line["frames"]
            told = [values[f] == line["value"] for f in range(start, min(end + 1, len(values))) if values[f] is not None]
            covered |= {f for f in range(start, min(end + 1, len(values))) if values[f] is not None}
            if told:
                r.add(line, np.mean(told) >= AGREES, f"frames {start}-{end} called {str(line['value']).lower()}, true of {np.mean(told):.0%}")
        r.sought, r.found = sum(v is not None for v in values), len(covered)


def judge(clip, lines, ruler):
    rows, tracks = defaultdict(Rows), person_tracks(clip, lines, ruler)
    judge_eyes(clip, lines, rows), judge_boxes(clip, lines, rows, ruler)
    judge_blinks(clip, lines, rows, ruler, tracks), judge_flags(clip, lines, rows, tracks)
    return rows


# ---- many clips

def summed(clips):
    """Figures of one kind over clips' rows, with intervals."""
    def sums(r):
        confidence, right = np.array(r.confidence, float), np.array(r.right, float)
        bins = np.clip((confidence * BINS).astype(int), 0, BINS - 1)
        wrong = float(((confidence >= SURE) & (right < 1)).sum())
        return np.concatenate([np.bincount(bins, w, BINS) for w in (None, confidence, right)] + [[wrong, r.found, r.sought]])
    table = np.array([sums(r) for r in clips])

    def figures(t):
        n, confidence, right = t[:BINS], t[BINS:2 * BINS], t[2 * BINS:3 * BINS]
        total = n.sum()
        return {"judged": int(total), "right": right.sum() / total, "mean": confidence.sum() / total,
                "ece": np.abs(confidence - right).sum() / total, "wrong": int(t[-3]), "share": t[-3] / total} if total else {"judged": 0}
    out = figures(table.sum(0)) | {"clips": len(clips), "coverage": table[:, -2].sum() / max(table[:, -1].sum(), 1)}
    if out["judged"] and len(clips) > 1:
        rng = np.random.default_rng(0)
        draws = [figures(table[rng.integers(len(clips), size=len(clips))].sum(0)) for _ in range(RESAMPLES)]
        for key in ("ece", "share"):
            out[key + "_ci"] = tuple(np.quantile([d[key] for d in draws if d["judged"]], (.025, .975)))
    return out


def error_by_chance(confidence):
    """Mean calibration error of such confidences where each label is right with the probability that it says."""
    confidence, rng = np.asarray(confidence, float), np.random.default_rng(0)
    bins = np.clip((confidence * BINS).astype(int), 0, BINS - 1)
    off = (np.abs(np.bincount(bins, confidence - (rng.random(len(confidence)) < confidence), BINS)).sum() for _ in range(RESAMPLES))
    return sum(off) / RESAMPLES / len(confidence)


def table(rows):
    width = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(v.ljust(w) for v, w in zip(r, width)).rstrip() for r in rows)


def interval(f, key, shape):
    ci = f.get(key + "_ci")
    return format(f[key], shape) + (f" [{format(ci[0], shape)}, {format(ci[1], shape)}]" if ci else "")


def is_made(kind, all_lines):
    """Whether there is a labeller: one that is silent gives other reasons."""
    reasons = [line.get("reason") for lines in all_lines.values() for line in lines if line["kind"] == kind]
    return bool(reasons) and "no-labeller" not in reasons


def calibration(data, pred, ruler):
    clips = known.load(data)
    lines = {key: read_lines(pred / f"{key[0]}__{key[1]}.jsonl") for key in clips}
    judged = {key: judge(clip, lines[key], ruler) for key, clip in clips.items() if (pred / f"{key[0]}__{key[1]}.jsonl").is_file()}
    rows = [["accepted as promised?", "set", "clips", "judged", "right", "said", "ece", "by chance", "sure, wrong", "", "coverage"]]
    for kind in KINDS:
        if not is_made(kind, lines):
            rows.append([kind, "not made"] + [""] * 9)
            continue
        having = {key: r[kind] for key, r in judged.items() if kind in r and (r[kind].sought or r[kind].confidence)}
        if not having:
            rows.append([kind, "no truth"] + [""] * 9)
            continue
        sets = list(dict.fromkeys(key[0] for key in having))
        for name in (["all"] if len(sets) > 1 else []) + sets:
            mine = [r for key, r in having.items() if name in ("all", key[0])]
            f = summed(mine)
            row = [kind, name, str(f["clips"]), str(f["judged"])]
            if f["judged"]:
                row += [f"{f['right']:.3f}", f"{f['mean']:.3f}", interval(f, "ece", ".3f"), f"{error_by_chance(np.concatenate([r.confidence for r in mine])):.3f}", str(f["wrong"]), interval(f, "share", ".2%"), f"{f['coverage']:.3f}"]
            rows.append(row + [""] * (11 - len(row)))
    print(table(rows))
    print("\nsure (confidence >= 0.9) and wrong, the first ten of a kind:")
    for kind in KINDS:
        wrong = [(c, f"{key[0]}/{key[1]} {what}") for key, r in judged.items() for c, ok, what in zip(r[kind].confidence, r[kind].right, r[kind].what) if c >= SURE and not ok] if judged else []
        for c, what in sorted(wrong, reverse=True)[:10]:
            print(f"  {kind}: {what} ({c:.2f})")


# ---- real cars

def shown_ranges(values):
    """Ranges of the frames whose value is true."""
    out = []
    for frame, value in enumerate(values):
        if value and out and out[-1][1] == frame - 1:
            out[-1][1] = frame
        elif value:
            out.append([frame, frame])
    return ", ".join(f"{a}-{b}" if a != b else str(a) for a, b in out) or "none"


def silence(clip, lines, kind, tracks):
    """Share of the clip's frames a reason."""
    reasons = Counter()
    for line in lines:
        if line["kind"] == kind and line["decision"] == "abstain" and (tracks is None or line.get("track") in (*tracks, None)):
            reasons[line["reason"]] += line["frames"][1] - line["frames"][0] + 1
    return ", ".join(f"{reason} {n / clip.frames:.0%}" for reason, n in reasons.most_common(3))


def cars(data, pred, ruler):
    clips = [clip for clip in known.load(data).values() if clip.set in ("incabin", "cabin", "statefarm_stills")]
    for clip in clips:
        path = pred / f"{clip.set}__{clip.name}.jsonl"
        if not path.is_file():
            continue
        lines = read_lines(path)
        tracks, rows = person_tracks(clip, lines, ruler), judge(clip, lines, ruler)
        mine = [l for l in lines if tracks is None or l.get("track") is None or l["track"] in tracks]
        if clip.frames == 1:
            print(f"\n{clip.set}/{clip.name}: {still(clip, lines, mine, rows)}")
            continue
        print(f"\n{clip.set}/{clip.name}: {clip.frames} frames")
        for kind in ("bbox-person", *EYES):
            share = len({l["frame"] for l in offered(mine, kind)}) / clip.frames
            r = rows[kind]
            print(f"  {kind:19} offered in {share:.0%} of frames; where truth stands: {r.found} of {r.sought}"
                  + (f", {sum(r.right)} of {len(r.right)} right ({'; '.join(r.what)})" if r.what else "") + f"  [{silence(clip, mine, kind, tracks)}]")
        if clip.blinks is not None:
            r = rows["blink"]
            false = [f"{w} ({c:.2f})" for w, c, ok in zip(r.what, r.confidence, r.right) if not ok]
            print(f"  blink               {r.found} of {r.sought} found, {len(false)} false outside what is ignored: {'; '.join(false) or 'none'}  [{silence(clip, mine, 'blink', tracks)}]")
        for kind in known.FLAGS:
            if not is_made(kind, {0: lines}):
                print(f"  {kind:19} not made")
                continue
            values = [None] * clip.frames
            for l in offered(mine, kind):
                values[l["frames"][0]:l["frames"][1] + 1] = [l["value"]] * (l["frames"][1] - l["frames"][0] + 1)
            truth = clip.flags.get(kind)
            both = [v == t for v, t in zip(values, truth or []) if v is not None and t is not None]
            print(f"  {kind:19} told in {np.mean([v is not None for v in values]):.0%}, true in {shown_ranges(values)}; truth: "
                  + (f"{shown_ranges(truth)}, agrees in {np.mean(both):.0%} of {len(both)} frames" if truth and both else shown_ranges(truth) if truth else "none stands")
                  + f"  [{silence(clip, mine, kind, tracks)}]")


def still(clip, lines, mine, rows):
    """A still in one line."""
    parts = []
    for kind in ("bbox-person", *EYES):
        r, given = rows[kind], offered(mine, kind)
        silent = silence(clip, mine, kind, None)
        parts.append(f"{kind} {r.what[0].removeprefix('frame 0, ')}{'' if r.right[0] else ' WRONG'}" if r.what else f"{kind} {'offered' if given else silent or 'nothing'}")
    for kind in known.FLAGS:
        given, truth = offered(mine, kind), clip.flags.get(kind, [None])[0]
        made = is_made(kind, {0: lines})
        if made:
            told = f"{str(given[0]['value']).lower()} ({given[0]['confidence']:.2f})" if given else silence(clip, mine, kind, None)
            wrong = given and truth is not None and given[0]["value"] != truth
            parts.append(f"{kind} {told}{' WRONG' if wrong else ''}")
    return "; ".join(parts)


# ---- stress

def faces(lines):
    """[(frame, left eye's x, right eye's x)] of every face with an eye offered, None where one is not."""
    sides = [by_frame(lines, kind) for kind in EYES]
    return [(frame, *(side[frame][track]["point"][0] if track in side[frame] else None for side in sides))
            for frame in sorted({*sides[0], *sides[1]}) for track in {*sides[0][frame], *sides[1][frame]}]


def stress(data, folder, conditions, ruler):
    sizes = json.loads((folder / "sizes.json").read_text())
    clips, summary, worst = known.load(data), {}, []
    made = set()
    for condition in conditions:
        pred = folder / condition / "pred"
        rows = defaultdict(list)
        for key, clip in clips.items():
            name = f"{key[0]}__{key[1]}"
            if not (pred / f"{name}.jsonl").is_file() or name not in sizes["clips"]:
                continue
            lines = read_lines(pred / f"{name}.jsonl")
            made |= {k for k in KINDS if k not in made and is_made(k, {key: lines})}
            size = sizes["clips"][name]
            shaded = known.half_shaded(faces(read_lines(folder / "as-is" / "pred" / f"{name}.jsonl")), size[0]) if condition == "half-shade" else None
            judged = judge(known.changed(copy.deepcopy(clip), condition, size, sizes.get("frames"), shaded), lines, ruler)
            for kind, r in judged.items():
                if r.sought or r.confidence:
                    rows[kind].append(r)
                    worst += [(condition, kind, f"{key[0]}/{key[1]} {what} ({c:.2f})") for c, ok, what in zip(r.confidence, r.right, r.what) if c >= SURE and not ok]
        summary[condition] = {kind: summed(r) for kind, r in rows.items()}
    for title, cell in (("sure (>= 0.9) and wrong, of all judged", lambda f: f"{f['share']:.2%} ({f['wrong']})" if f["judged"] else "-"),
                        ("coverage", lambda f: f"{f['coverage']:.2f}"),
                        ("right, of those offered", lambda f: f"{f['right']:.3f}" if f["judged"] else "-"),
                        ("expected calibration error", lambda f: f"{f['ece']:.3f}" if f["judged"] else "-")):
        rows = [[title, *conditions]]
        for kind in KINDS:
            if kind not in made:
                rows.append([kind] + ["not made"] * len(conditions))
            elif any(kind in summary[c] for c in conditions):
                rows.append([kind] + [cell(summary[c][kind]) if kind in summary[c] else "" for c in conditions])
        print(table(rows) + "\n")
    (folder / "sure-and-wrong.txt").write_text("".join(f"{condition}  {kind}  {what}\n" for condition, kind, what in worst))
    print(f"each of the {len(worst)} sure and wrong: {folder / 'sure-and-wrong.txt'}")


# ---- self-test

def self_test(ruler):
    clip = known.Clip("made", "a", 100, 30, [(10, 19), (50, 55)], eyes={5: ([60, 50], [20, 50])}, boxes={0: [[0, 0, 200, 200]]})
    known.ranges(clip, "in-shadow", [(20, 39)], tolerance=2)

    def line(kind, **more):
        return {"kind": kind, "track": 1, "confidence": 0.95, "decision": "candidate"} | more
    lines = [line("keypoint-left-eye", frame=5, point=[61, 50]), line("keypoint-right-eye", frame=5, point=[29, 50]),
             line("bbox-person", frame=0, box=[0, 0, 200, 150]), line("blink", frames=[10, 18]), line("blink", frames=[70, 75]),
             line("in-shadow", frames=[18, 46], value=True, confidence=.6)]
    rows = judge(clip, lines, ruler)
    assert rows["keypoint-left-eye"].right == [True] and rows["keypoint-right-eye"].right == [False], "9 px are too many"
    assert rows["bbox-person"].right == [False] and rows["bbox-person"].found == 1, "IoU 0.75 finds but is not accepted"
    assert rows["blink"].right == [True, False] and (rows["blink"].found, rows["blink"].sought) == (1, 2)
    assert rows["in-shadow"].right == [False], "true of 16 of 21 frames; four more are near a border"
    f = summed([rows["blink"]])
    assert f["wrong"] == 1 and abs(f["ece"] - .45) < 1e-9 and f["coverage"] == .5
    assert abs(error_by_chance([.95, .95]) - .0903) < .01, "both right nine times in ten, then 0.05 off; else 0.45 or 0.95"
    assert error_by_chance([1.0] * 9) == 0
    for condition, where in (("mirrored", [140, 50]), ("half-size", [30, 25])):
        moved = known.changed(copy.deepcopy(clip), condition, (200, 200, 30))
        assert moved.eyes[5][condition == "mirrored"] == where, condition
    slow = known.changed(copy.deepcopy(clip), "15-fps", (200, 200, 30))
    assert slow.frames == 50 and slow.blinks == [(5, 9), (25, 27)] and slow.eyes.keys() == {2}, slow
    short = known.changed(copy.deepcopy(clip), "gamma-2.5", (200, 200, 30), 52)
    assert short.blinks == [(10, 19)] and short.ignore == [(50, 55)] and "in-shadow" not in short.flags
    met = known.half_shaded([(0, 60, 20), (1, 61, 21), (2, 100, 60), (3, 60, None), (4, 60, 20), (4, 200, 160)], 300)
    assert met == {0, 1}, "the head left the shade, turned, or another face lies beside it"
    assert known.changed(copy.deepcopy(clip), "half-shade", (200, 200, 30), shaded=met).flags["in-shadow"][:3] == [True, True, None]
    driver = known.Clip("made", "b", eyes={0: ([60, 50], [20, 50])}, one_of_many=True)
    other = [line(k, frame=0, point=[300 + x, 50], track=t) for t, far in ((1, 0), (2, -300)) for k, x in ((EYES[0], 60 + far), (EYES[1], 20 + far))]
    assert person_tracks(driver, other, ruler) == {2} and judge(driver, other, ruler)[EYES[0]].right == [True]
    print("self-test ok")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("what", nargs="?", choices=("calibration", "cars", "stress"))
    p.add_argument("conditions", nargs="*", metavar="CONDITION")
    p.add_argument("--data", type=Path), p.add_argument("--pred", type=Path), p.add_argument("--folder", type=Path)
    p.add_argument("--ruler", type=Path, help="folder of score.py; default: ../tools beside the data")
    p.add_argument("--self-test", action="store_true")
    a = p.parse_args()
    sys.path.insert(0, str(a.ruler or a.data / "../tools"))
    import score as ruler
    if a.self_test:
        return self_test(ruler)
    if a.what == "stress":
        return stress(a.data, a.folder, a.conditions, ruler)
    return {"calibration": calibration, "cars": cars}[a.what](a.data, a.pred, ruler)


if __name__ == "__main__":
    sys.exit(main())
