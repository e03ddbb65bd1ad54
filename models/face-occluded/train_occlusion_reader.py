#!/usr/bin/env python3
"""Trains occlusion_reader.tflite on faces that nothing covers, with things pasted over half of them.

  python train_occlusion_reader.py DATA [--work DIR] [--points CACHE] [--samples N] [--epochs N] [--seed S] [--out FILE]

DATA     the development data folder; what is used of it: faces.py
WORK     faces and drawn samples are kept here; delete them when faces.py or occluders.py change
CACHE    mesh points of clips as ../calibration makes them; made there where they are missing
Output of the net, as logits: subject's right eye, left eye, mouth covered, any of the face covered."""
import argparse
import os
import time
from pathlib import Path

ap = argparse.ArgumentParser()
ap.add_argument("data", type=Path)
ap.add_argument("--work", type=Path, default=Path(".rigel/occlusion"))
ap.add_argument("--points", type=Path)
ap.add_argument("--samples", type=int, default=50000)
ap.add_argument("--epochs", type=int, default=10)
ap.add_argument("--seed", type=int, default=1)
ap.add_argument("--out", type=Path, default=Path(__file__).resolve().parent / "occlusion_reader.tflite")
A = ap.parse_args()
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
import numpy as np                                              # noqa: E402
import faces                                                    # noqa: E402
import occluders                                                # noqa: E402

PARTS = ("right eye", "left eye", "mouth", "face")
STD_FLOOR = .02 * 255                                           # as the firmware's normalise


def draw(split, count, seed):
    """Crops, truth, weights; every second photograph is kept for the check."""
    path = A.work / f"samples-{split}-{count}-{seed}.npz"
    if not path.exists():
        start = time.time()
        of_split = occluders.prepare(FACES, split)
        scene = occluders.Scene(of_split, occluders.photographs(A.data)[split == "check"::2])
        drawn = [scene.sample(np.random.default_rng([seed, n])) for n in range(count)]
        x, truth, weight, share = (np.array(v) for v in zip(*drawn))
        np.savez(path, x=x, truth=truth, weight=weight, share=share)
        print(f"drew {count} samples of {split} in {time.time() - start:.0f} s", flush=True)
    return dict(np.load(path))


def norm(x):
    x = x.astype(np.float32)
    m, s = x.mean((1, 2), keepdims=True), x.std((1, 2), keepdims=True)
    return ((x - m) / np.maximum(s, STD_FLOOR))[..., None]


FACES = faces.load(A.data, A.work, A.points)
FIT, CHECK = draw("fit", A.samples, A.seed), draw("check", 6000, A.seed + 1)
CX = norm(CHECK["x"])

import tensorflow as tf                                         # noqa: E402
tf.keras.utils.set_random_seed(A.seed)
tf.config.experimental.enable_op_determinism()
tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
K = tf.keras.layers


def block(x, channels):
    x = K.Conv2D(channels, 3, strides=2, padding="same", use_bias=False)(x)
    return K.ReLU()(K.BatchNormalization(momentum=.97)(x))


inp = K.Input((faces.CROP, faces.CROP, 1))
x = inp
for channels in (16, 32, 64, 64):
    x = block(x, channels)
x = K.Dropout(.25)(K.Flatten()(x))
x = K.Dense(48, activation="relu")(x)
net = tf.keras.Model(inp, K.Dense(len(PARTS))(x))
B = 128
steps = len(FIT["x"]) // B
opt = tf.keras.optimizers.AdamW(tf.keras.optimizers.schedules.CosineDecay(2e-3, A.epochs * steps), weight_decay=2e-4)
ROLE = tf.constant([1., 1., 1., 1.5])
SMOOTH = .01                                                    # some truths are wrong: real hands among the uncovered faces


@tf.function
def step(x, truth, weight):
    with tf.GradientTape() as tape:
        z = net(x, training=True)
        t = truth * (1 - 2 * SMOOTH) + SMOOTH
        loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(t, z) * weight * ROLE)
    v = net.trainable_variables
    opt.apply_gradients(zip(tape.gradient(loss, v), v))
    return loss


def report(predict, name):
    z = predict(CX)
    words = []
    for k, part in enumerate(PARTS):
        m = CHECK["weight"][:, k] > 0
        t, p = CHECK["truth"][m, k] > .5, 1 / (1 + np.exp(-z[m, k]))
        order = np.argsort(np.argsort(p))
        auc = (order[t].mean() - (t.sum() - 1) / 2) / (~t).sum()
        wrong = ((np.maximum(p, 1 - p) >= .9) & ((p > .5) != t)).mean()
        words.append(f"{part}: right {((p > .5) == t).mean():.3f} AUC {auc:.4f} wrong at >= 0.9 {wrong:.4f}")
    print(name, "synthetic check:", " | ".join(words), flush=True)


predict = lambda x: np.concatenate([net(x[i:i + 500], training=False).numpy() for i in range(0, len(x), 500)])
start = time.time()
for epoch in range(A.epochs):
    r = np.random.default_rng([A.seed, epoch])
    order, total = r.permutation(len(FIT["x"]))[:steps * B], 0.
    for s in range(steps):
        j = order[s * B:(s + 1) * B]
        total += float(step(norm(FIT["x"][j]), FIT["truth"][j], FIT["weight"][j]))
    print(f"epoch {epoch} loss {total / steps:.4f} {time.time() - start:.0f} s", flush=True)
    if epoch % 4 == 3 or epoch == A.epochs - 1:
        report(predict, "")

from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2  # noqa: E402
fn = tf.function(lambda face: net(face, training=False), input_signature=[tf.TensorSpec((1, faces.CROP, faces.CROP, 1), tf.float32, name="face")])
frozen = convert_variables_to_constants_v2(fn.get_concrete_function())
A.out.write_bytes(tf.lite.TFLiteConverter.from_concrete_functions([frozen]).convert())
from ai_edge_litert.interpreter import Interpreter              # noqa: E402
it = Interpreter(str(A.out), num_threads=1)
it.allocate_tensors()
i0, o0 = it.get_input_details()[0]["index"], it.get_output_details()[0]["index"]


def lite(x):
    out = []
    for one in x:
        it.set_tensor(i0, one[None])
        it.invoke()
        out.append(it.get_tensor(o0)[0].copy())
    return np.array(out)


report(lite, "tflite")
times = []
for _ in range(1000):
    t = time.perf_counter()
    it.invoke()
    times.append(time.perf_counter() - t)
print(f"{A.out.name}: {A.out.stat().st_size} bytes, {net.count_params()} parameters, {np.median(times) * 1e3:.3f} ms median, 1 thread")
