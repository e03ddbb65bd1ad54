"""Teacher: face search + 478-point mesh (the appliance's own models), as the firmware reads them.  Needs ai_edge_litert.

Models are looked for in $MODELS, by default where `cargo xtask setup` puts them."""
import os, sys, json, time
os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np, cv2
cv2.setNumThreads(1)
from ai_edge_litert.interpreter import Interpreter
M = os.environ.get("MODELS", os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../.rigel/models")) + "/"

class Net:
    def __init__(s, name):
        s.i = Interpreter(M + name + ".tflite", num_threads=1); s.i.allocate_tensors()
        s.a = s.i.get_input_details()[0]["index"]; s.o = [d["index"] for d in s.i.get_output_details()]
    def __call__(s, x):
        s.i.set_tensor(s.a, x[None].astype(np.float32)); s.i.invoke()
        return [s.i.get_tensor(k) for k in s.o]

def anchors(size, layers):   # layers: (stride, per cell)
    out = []
    for stride, n in layers:
        g = size // stride
        for y in range(g):
            for x in range(g):
                out += [((x + .5) / g, (y + .5) / g)] * n
    return np.array(out, np.float32)

class Detector:
    def __init__(s, name, size, layers, thr):
        s.n, s.size, s.an, s.thr = Net(name), size, anchors(size, layers), thr
    def __call__(s, img, x0=0, y0=0, side=None, thr=None):
        """square crop (x0,y0,side) of img, zero beyond the frame (letterbox). -> list (score, cx,cy,w,h, 6x2 points) in frame px"""
        h, w = img.shape[:2]
        k = side / s.size
        m = np.array([[k, 0, x0 + .5 * k - .5], [0, k, y0 + .5 * k - .5]], np.float64)
        # downscale by area first, else bilinear aliases
        f = max(1, int(k))
        src = img
        if f > 1:
            hh, ww = h // f * f, w // f * f
            src = cv2.resize(img[:hh, :ww], (ww // f, hh // f), interpolation=cv2.INTER_AREA)
            m = np.array([[k / f, 0, (x0 + .5 * k) / f - .5], [0, k / f, (y0 + .5 * k) / f - .5]])
        c = cv2.warpAffine(src, m, (s.size, s.size), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_CONSTANT)
        r, c = s.n(c.astype(np.float32) / 127.5 - 1)
        r = r.reshape(-1, 16); sc = 1 / (1 + np.exp(-np.clip(c.ravel(), -80, 80)))
        pick = np.nonzero(sc >= (s.thr if thr is None else thr))[0]
        if not len(pick): return []
        p = r[pick].reshape(-1, 8, 2) / s.size
        p[:, [0, 2, 3, 4, 5, 6, 7]] += s.an[pick][:, None]
        sc = sc[pick]
        out = []
        order = list(np.argsort(-sc, kind="stable"))
        def box(i): (cx, cy), (bw, bh) = p[i, 0], p[i, 1]; return cx - bw / 2, cy - bh / 2, cx + bw / 2, cy + bh / 2
        def iou(a, b):
            a, b = box(a), box(b)
            iw, ih = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
            if iw <= 0 or ih <= 0: return 0
            return iw * ih / ((a[2]-a[0])*(a[3]-a[1]) + (b[2]-b[0])*(b[3]-b[1]) - iw * ih)
        while order:                       # weighted NMS
            top = order[0]
            same = [i for i in order if iou(top, i) > .3]
            if top not in same: same = [top]
            order = [i for i in order if i not in same]
            q = (p[same] * sc[same][:, None, None]).sum(0) / sc[same].sum()
            q = q * side; q[[0, 2, 3, 4, 5, 6, 7]] += (x0, y0)
            out.append((float(sc[top]), *q[0], *q[1], q[2:]))
        return out

def tiles(w, h, side):
    def pos(n):
        if side >= n: return [0.0]
        k = int(np.ceil((n - side) / (side / 2))) + 1
        return [i * (n - side) / (k - 1) for i in range(k)]
    return [(x, y) for y in pos(h) for x in pos(w)]

class Tracker:
    MARGIN, KEEP = 1.5, .5
    def __init__(s, mesh="face_landmark", margin=1.5, smooth=0, lowlight=0):
        s.lowlight = lowlight
        s.mesh = Net(mesh); s.size = 192 if mesh == "face_landmark" else 256
        s.short = Detector("face_detection_short_range", 128, [(8, 2), (16, 6)], .5)
        s.full = Detector("face_detection_full_range", 192, [(4, 1)], .6)
        s.margin, s.smooth = margin, smooth
        s.roi, s.stage = None, -1
    def stage_dets(s, img, n):
        h, w = img.shape[:2]; L, S = max(w, h), min(w, h)
        if n == 0: d = s.short(img, (w - L) / 2, (h - L) / 2, L)
        elif n == 1: d = s.full(img, (w - L) / 2, (h - L) / 2, L)
        else: d = [q for x, y in tiles(w, h, S if n == 2 else S / 2) for q in s.full(img, x, y, S if n == 2 else S / 2)]
        return sorted(d, key=lambda q: -q[3] * q[4])[:3]      # largest first, at most 3 tried
    def from_detection(s, d):
        _, cx, cy, w, h, k = d
        a = np.arctan2(k[1][1] - k[0][1], k[1][0] - k[0][0])
        return cx, cy, s.margin * max(w, h), a
    def from_points(s, p):
        a = np.arctan2(p[263, 1] - p[33, 1], p[263, 0] - p[33, 0])
        lo, hi = p[:, :2].min(0), p[:, :2].max(0)
        c = (lo + hi) / 2
        return float(c[0]), float(c[1]), s.margin * float(max(hi - lo)), float(a)
    def landmarks(s, img, roi):
        cx, cy, side, a = roi; n = s.size; k = side / n; ca, sa = np.cos(a), np.sin(a)
        # crop pixel centre (u+.5, v+.5) -> frame pixel centre
        m = np.array([[k*ca, -k*sa, cx + k*(ca*(.5-n/2) - sa*(.5-n/2)) - .5], [k*sa, k*ca, cy + k*(sa*(.5-n/2) + ca*(.5-n/2)) - .5]])
        crop = cv2.warpAffine(img, m, (n, n), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_CONSTANT)
        x = crop.astype(np.float32)
        if s.lowlight:
            m = float(x.mean())
            if m < 50:
                for _ in range(s.lowlight): x = cv2.GaussianBlur(x, (5, 5), 0, borderType=cv2.BORDER_REPLICATE)
                x = np.minimum(x * min(100 / max(m, 1), 8), 255)
        o = s.mesh(x / 255)
        p = o[0].reshape(-1, 3).astype(np.float64)
        fl = float(o[1].ravel()[0])
        score = 1 / (1 + np.exp(-fl))
        u, v = (p[:, 0] - n/2) * k, (p[:, 1] - n/2) * k
        q = np.stack([cx + ca*u - sa*v, cy + sa*u + ca*v, p[:, 2] * k], 1)
        # image coordinates: pixel i covers [i,i+1); report centre-of-pixel = integer
        q[:, :2] -= .5
        return q.astype(np.float32), score
    def step(s, img):
        """rgb frame -> (score, points or None, roi, detected)"""
        det = 0
        roi = s.roi
        if roi is not None:
            p, sc = s.landmarks(img, roi)
            if sc >= s.KEEP:
                s.roi = s.from_points(p); return sc, p, roi, 0
        for n in range(4):
            for d in s.stage_dets(img, n):
                roi = s.from_detection(d)
                p, sc = s.landmarks(img, roi)
                if sc >= s.KEEP:
                    s.stage = n; s.roi = s.from_points(p); return sc, p, roi, 1 + n
        s.roi = None
        return 0., None, None, 0
