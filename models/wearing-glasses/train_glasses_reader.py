#!/usr/bin/env python3
"""Trains glasses_reader.tflite: none, glasses or sunglasses, from one grey crop around both eyes.

  python train_glasses_reader.py DATA [--points CACHE] [--work DIR] [--epochs N] [--seed S] [--out glasses_reader.tflite]

DATA   the development data folder.  Trained on: glasses/ (UTK faces and Yale people of its train split), with drawn glasses.
CACHE  optional ready-made mesh points (see dataset.py); without it the mesh ($MODELS) is run on every frame.
Never trained on: the dev split of glasses/, and every other set; their errors are printed at the end.
Output: probability of none, glasses, sunglasses, after a softmax; not calibrated (fit_card.py does that)."""
import argparse, os, queue, sys, threading, time
ap = argparse.ArgumentParser(); ap.add_argument("data"); ap.add_argument("--points"); ap.add_argument("--work", default="."); ap.add_argument("--epochs", type=int, default=70)
ap.add_argument("--seed", type=int, default=1); ap.add_argument("--out", default="glasses_reader.tflite"); ap.add_argument("--pool", type=int, default=1)
A = ap.parse_args()
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"; os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
import cv2
import numpy as np
import crop, dataset, draw, light
cv2.setNumThreads(1)

PATCHES, POOL = A.work + "/patches.npz", A.work + "/drawn.npz"
if not os.path.exists(PATCHES):
    dataset.main(A.data, PATCHES, A.points)
D = dict(np.load(PATCHES))
train = D["split"] == "train"
real = {k: np.nonzero(train & (D["label"] == k))[0] for k in range(3)}
P = D["patches"]

# ---- drawn once, varied in light and place ever after
DRAWN = {"glasses": 3000 * A.pool, "dark": 1500 * A.pool, "bare": 2200 * A.pool, "pupils": 400 * A.pool, "glasses-pupils": 250 * A.pool, "glasses-covered": 500 * A.pool}
if not os.path.exists(POOL):
    r = np.random.default_rng(A.seed + 77); drawn = {}
    for kind, n in DRAWN.items():
        out = []
        for _ in range(n):
            wearing = kind in ("glasses-pupils", "glasses-covered") or (kind == "dark" and r.random() < .25)      # dark lenses over real frames too
            i = r.choice(real[1] if wearing else real[0]); p, yaw = P[i], float(D["where"][i][4])
            out.append(draw.glasses(p, yaw, r, kind == "dark") if kind in ("glasses", "dark") else
                       draw.look_alike(p, yaw, r) if kind == "bare" else draw.covered(p, yaw, r) if kind == "glasses-covered" else draw.bright_pupils(p, yaw, r))
        drawn[kind] = np.array(out)
    np.savez(POOL, **drawn)
    print("drawn", flush=True)
drawn = dict(np.load(POOL))
# class, source, share of the examples
MIX = [(0, P[real[0]], .30), (0, drawn["bare"], .17), (0, drawn["pupils"], .03),
       (1, P[real[1]], .20), (1, drawn["glasses"], .17), (1, drawn["glasses-pupils"], .02), (1, drawn["glasses-covered"], .03),
       (2, P[real[2]], .01), (2, drawn["dark"], .13)]
shares = np.array([m[2] for m in MIX]); shares /= shares.sum()
B, STEPS = 128, 22

def batch(seed):
    r = np.random.default_rng(seed); X = np.empty((B, crop.HEIGHT, crop.WIDTH), np.float32); Y = np.zeros((B, 3), np.float32)
    for n in range(B):
        k, pool, _ = MIX[r.choice(len(MIX), p=shares)]
        x = light.jittered(pool[r.integers(len(pool))], r)
        X[n] = light.varied(x, r) if r.random() < .92 else x; Y[n, k] = 1
    return crop.normalise(X), Y * .96 + .04 / 3

import tensorflow as tf
tf.keras.utils.set_random_seed(A.seed); tf.config.experimental.enable_op_determinism(); tf.config.threading.set_intra_op_parallelism_threads(1); tf.config.threading.set_inter_op_parallelism_threads(1)
K = tf.keras.layers
def conv(x, c, s): return K.ReLU()(K.BatchNormalization(momentum=.95)(K.Conv2D(c, 3, strides=s, padding="same", use_bias=False)(x)))
inp = K.Input((crop.HEIGHT, crop.WIDTH, 1)); x = conv(inp, 16, 2); x = conv(x, 24, 2); x = conv(x, 32, 1); x = conv(x, 48, 2); x = conv(x, 64, 2)
x = K.Dropout(.3)(K.Flatten()(x)); x = K.Dropout(.3)(K.Dense(32, activation="relu")(x)); out = K.Dense(3)(x)
net = tf.keras.Model(inp, out)
print("parameters", net.count_params(), {k: len(v) for k, v in real.items()}, "real patches a class", flush=True)
opt = tf.keras.optimizers.AdamW(tf.keras.optimizers.schedules.CosineDecay(2e-3, A.epochs * STEPS), weight_decay=3e-4)
@tf.function(jit_compile=False)
def step(X, Y):
    with tf.GradientTape() as g:
        l = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(Y, net(X, training=True)))
    v = net.trainable_variables; opt.apply_gradients(zip(g.gradient(l, v), v)); return l

# ---- what it is checked on: stills one by one, clips by the mean of their looks
known = (D["label"] >= 0) & ~train & (np.abs(D["where"][:, 4]) < 40)
CHECK = np.nonzero(known)[0]
def crops_under(name, idx, seed=9):
    r = np.random.default_rng(seed)
    return crop.normalise(np.array([light.stressed(P[i], float(D["where"][i][2]), name, None if name == "plain" else r.normal(0, [.012, .012, .02, .02])) for i in idx]))
def report(f, names):
    for name in names:
        q = 1 - f(crops_under(name, CHECK))[:, 0]; truth = D["label"][CHECK] > 0; line = []
        for s in np.unique(D["set"][CHECK]):
            m = D["set"][CHECK] == s; ids = D["name"][CHECK][m]; good = []
            for n in np.unique(ids):
                k = ids == n; good.append((np.mean(q[m][k]) > .5) == truth[m][k][0])
            sure = np.maximum(q[m], 1 - q[m]) > .9; wrong = (q[m] > .5) != truth[m]
            line.append(f"{s} {sum(good)}/{len(good)} ({np.mean(~wrong)*100:.1f} %, sure and wrong {np.mean(sure & wrong)*100:.1f} %)")
        print(f"  {name}: " + "; ".join(line), flush=True)
softmax = lambda z: np.exp(z - z.max(1, keepdims=True)) / np.exp(z - z.max(1, keepdims=True)).sum(1, keepdims=True)
predict = lambda X: softmax(np.concatenate([net(X[i:i + 512], training=False).numpy() for i in range(0, len(X), 512)]))

Q = queue.Queue(8)
def feed():
    for ep in range(A.epochs):
        for s in range(STEPS): Q.put((ep, s, *batch([A.seed, ep, s])))
    Q.put(None)
threading.Thread(target=feed, daemon=True).start()
t0, tot = time.time(), []
while (item := Q.get()) is not None:
    ep, s, X, Y = item; tot.append(float(step(X, Y)))
    if s == STEPS - 1:
        if ep % 20 == 19: print(f"epoch {ep} loss {np.mean(tot):.4f} {time.time()-t0:.0f} s", flush=True); report(predict, ["plain"])
        tot = []
final = tf.keras.Model(inp, K.Softmax()(out))
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2
fn = tf.function(lambda eyes: final(eyes, training=False), input_signature=[tf.TensorSpec((1, crop.HEIGHT, crop.WIDTH, 1), tf.float32, name="eyes")])
open(A.out, "wb").write(tf.lite.TFLiteConverter.from_concrete_functions([convert_variables_to_constants_v2(fn.get_concrete_function())]).convert())
from ai_edge_litert.interpreter import Interpreter
it = Interpreter(A.out, num_threads=1); it.allocate_tensors(); i0, o0 = it.get_input_details()[0]["index"], it.get_output_details()[0]["index"]
def lite(X):
    r = []
    for x in X: it.set_tensor(i0, x[None]); it.invoke(); r.append(it.get_tensor(o0)[0].copy())
    return np.array(r)
print("the exported network, every condition:"); report(lite, list(light.STRESS))
it.set_tensor(i0, X[:1]); ts = []
for _ in range(1000): t = time.perf_counter(); it.invoke(); ts.append(time.perf_counter() - t)
print(f"{A.out}: {os.path.getsize(A.out)} bytes, {np.median(ts)*1e3:.3f} ms median, {np.min(ts)*1e3:.3f} best, 1 thread; ops", sorted({d['op_name'] for d in it._get_ops_details()}))
