#!/usr/bin/env python3
"""Chooses what a contact sheet of one kind shows: labels known to be wrong first, the surest of them first, then labels
spread by confidence. Prints one case a line; `contact_sheet.rs` draws them.

  cases.py KIND --pred DIR [--data DIR] [--most 50]        without --data nothing is known to be wrong"""
import argparse
import json
import sys
from collections import defaultdict
from pathlib import Path

import judge
import truth as known

FILMS = {"blink": 10, "long-closure": 10, "light-change": 5, "alertness": 8}     # pictures a case; others: one
MARGIN_FRAMES = 4                                # before and after an event
APART_FRAMES = 15                                # positions shown are no nearer to each other than this
FACE, EYES_AROUND = 2.2, 1.1                     # half a crop's width, in distances between the eyes
SCENE = ("light-change", "video-quality")


def eyes_near(lines, track, frame):
    """Both eyes of a track where both are offered nearest to a frame."""
    sides = [{l["frame"]: l["point"] for l in judge.offered(lines, kind) if l["track"] == track} for kind in judge.EYES]
    both = [f for f in sides[0] if f in sides[1]]
    at = min(both, key=lambda f: abs(f - frame), default=None)
    return None if at is None else (sides[0][at], sides[1][at])


def crop_at(lines, label, frame, kind):
    """Where to look, [x, y, width, height] in source pixels; None: the whole picture."""
    if kind in SCENE or kind == "bbox-person":
        return None
    if "point" in label:
        return [label["point"][0] - 40, label["point"][1] - 30, 80, 60]
    eyes = eyes_near(lines, label.get("track"), frame)
    if eyes is None:
        boxes = [l for l in judge.offered(lines, "bbox-person") if l["track"] == label.get("track")]
        box = min(boxes, key=lambda l: abs(l["frame"] - frame), default={}).get("box")
        return box and [box[0], box[1], box[2], min(box[3], box[2])]
    x, y = ((a + b) / 2 for a, b in zip(*eyes))
    half = max(8.0, abs(eyes[0][0] - eyes[1][0])) * (EYES_AROUND if kind in ("blink", "long-closure") else FACE)
    high = half * (.4 if kind in ("blink", "long-closure") else 1.0)
    down = 0 if high < half else half * .35
    return [x - half, y - high + down, 2 * half, 2 * high]


def case(name, clip, lines, label, kind, right, what):
    start, end = label.get("frames") or [label["frame"]] * 2
    count = FILMS.get(kind, 1)
    if count > 1:
        before, after = max(0, start - MARGIN_FRAMES), end + MARGIN_FRAMES
        frames = sorted({round(before + (after - before) * i / (count - 1)) for i in range(count)})
    else:
        frames = [(start + end) // 2]
    value = f"{str(label['value']).lower()} " if "value" in label else ""
    out = {"name": name, "frames": frames, "event": [start, end], "crop": crop_at(lines, label, frames[len(frames) // 2], kind),
           "title": f"{value}{label['confidence']:.2f}{'' if right is None else ' right' if right else ' WRONG'}", "wrong": right is False,
           "what": what or f"frame{'s' if start != end else ''} {start}{f'-{end}' if start != end else ''}", "boxes": [], "points": [], "true_boxes": [], "true_points": []}
    if "box" in label:
        out["boxes"], out["true_boxes"] = [label["box"]], (clip.boxes.get(start, []) if clip else [])
    if "point" in label:
        out["points"], out["true_points"] = [label["point"]], ([p for p in clip.eyes.get(start, ()) if p] if clip else [])
    return out


def choose(cases, most):
    """Wrong ones first; the rest spread evenly over what they say of themselves."""
    wrong = sorted((c for c in cases if c[0] is False), key=lambda c: -c[1])[:most]
    rest = sorted((c for c in cases if c[0] is not False), key=lambda c: c[1])
    room = min(most - len(wrong), len(rest))
    return wrong + [rest[round(i * (len(rest) - 1) / max(room - 1, 1))] for i in range(room)]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("kind", choices=judge.KINDS)
    p.add_argument("--pred", type=Path, required=True), p.add_argument("--data", type=Path), p.add_argument("--most", type=int, default=50)
    a = p.parse_args()
    if a.data:
        sys.path.insert(0, str(a.data / "../tools"))
        import score as ruler
    clips = known.load(a.data) if a.data else {}
    cases = []                                   # right (None: not known), confidence, and what it takes to draw it
    for path in sorted(a.pred.glob("*.jsonl")):
        lines = judge.read_lines(path)
        key = tuple(path.stem.split("__", 1))
        clip = clips.get(key)
        rows = judge.judge(clip, lines, ruler)[a.kind] if clip else judge.Rows()
        judged = [(l, ok, what) for l, ok, what in zip(rows.lines, rows.right, rows.what)]
        last = defaultdict(lambda: -APART_FRAMES)
        if not judged:
            judged = [(l, None, "") for l in judge.offered(lines, a.kind)]
        for label, right, what in judged:
            at = label.get("frame", label.get("frames", [0])[0])
            if "frame" in label and right is not False and at - last[label["track"]] < APART_FRAMES:
                continue
            last[label.get("track")] = at
            cases.append((right, label["confidence"], (path.stem, clip, lines, label, right, what)))
    for right, _, (name, clip, lines, label, right, what) in choose(cases, a.most):
        print(json.dumps(case(name, clip, lines, label, a.kind, right, what)))


if __name__ == "__main__":
    sys.exit(main())
