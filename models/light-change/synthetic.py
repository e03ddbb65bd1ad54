"""Synthetic changes of light, and what only looks like one, on the light grids of real clips.

A grid is [frames, 9, 16] of grey levels 0 to 255. Each maker returns the changed grids and the logarithm of the light's gain
in every frame (0 throughout for what is no change of light)."""
import numpy as np

ROWS, COLUMNS = 9, 16


def apply(g, log_gain):
    """Multiplies luma; white saturates softly, as cameras do."""
    x = g * np.exp(log_gain)
    knee = 215.0
    return np.where(x > knee, knee + (255 - knee) * (1 - np.exp(-(x - knee) / (255 - knee))), x)


def ramp(t, start, length):
    return np.clip((t - start) / max(length, 1e-6), 0, 1) if length > 0 else (t >= start).astype(float)


def unlit(rng, share):
    """1 where the change reaches: a window, or a lamp of its own, keeps its light in a rectangle."""
    m = np.ones((ROWS, COLUMNS))
    if share > 0:
        h = rng.uniform(.4, 1) * ROWS
        w = min(COLUMNS, share * ROWS * COLUMNS / h)
        y, x = rng.uniform(0, ROWS - h), rng.uniform(0, COLUMNS - w)
        m[int(round(y)):int(round(y + h)), int(round(x)):int(round(x + w))] = rng.uniform(0, .3)
    return m


def change(rng, g, rate, depth):
    """A ramp or a step, of the whole picture or all but a window; some go back, as under a bridge."""
    t = np.arange(len(g)) / rate
    start, length = rng.uniform(.8, 1.6), rng.choice([0, 0, .1, .2, .4, .8, 1.5, 2.5])
    course = ramp(t, start, length)
    back = rng.random() < .3
    if back:
        course = course - ramp(t, start + length + rng.uniform(.1, 1.2), length)
    gain = depth * course
    reach = unlit(rng, rng.choice([0, 0, .1, .2, .3]))
    curve = rng.uniform(-.3, .3) if rng.random() < .4 else 0.0          # also bends the tones: gamma
    base = np.log((g + 4) / 130)
    return apply(g, gain[:, None, None] * reach * (1 - curve * base)), gain


def sweep(rng, g, rate, depth):
    """The edge of a shadow, or of the sun, crosses the picture."""
    t = np.arange(len(g)) / rate
    start, length = rng.uniform(.8, 1.6), rng.choice([.1, .2, .4, .7])
    angle, soft = rng.uniform(0, 2 * np.pi), rng.uniform(.05, .3)
    y, x = np.mgrid[0:ROWS, 0:COLUMNS]
    place = (x / (COLUMNS - 1) - .5) * np.cos(angle) + (y / (ROWS - 1) - .5) * np.sin(angle)
    place = (place - place.min()) / np.ptp(place)
    course = np.clip((ramp(t, start, length)[:, None, None] * (1 + soft) - place) / soft, 0, 1)
    # Half way the light has changed in a part of the picture: not to be asked about (not a number).
    shares = course.mean((1, 2))
    gain = np.where((shares > .01) & (shares < .99), np.nan, depth * shares)
    return apply(g, depth * course), gain


def hand(rng, g, rate):
    """Something flat covers much of the picture, and goes away again or stays."""
    t = np.arange(len(g)) / rate
    start, length, stay = rng.uniform(.8, 1.6), rng.uniform(.1, .5), rng.uniform(.2, 2)
    cover = ramp(t, start, length) - ramp(t, start + length + stay, length) * (rng.random() < .7)
    w, h = rng.uniform(.4, 1.05) * COLUMNS, rng.uniform(.5, 1.05) * ROWS
    y, x = np.mgrid[0:ROWS, 0:COLUMNS]
    level = rng.uniform(10, 190) + rng.normal(0, 8, (ROWS, COLUMNS)) + rng.uniform(-25, 25) * (x / COLUMNS - .5)
    side = rng.random() < .5
    edge = -w + cover * (w + rng.uniform(-.1, .3) * COLUMNS)
    out = g.copy()
    for i in range(len(g)):
        if cover[i] > 0:
            xx = x if side else COLUMNS - 1 - x
            inside = (xx >= edge[i]) & (xx < edge[i] + w) & (y >= ROWS - h * min(1, cover[i] * 2))
            out[i][inside] = np.clip(level, 0, 255)[inside]
    return out, np.zeros(len(g))


def lorry(rng, g, rate):
    """A wide body passes behind or before the driver: the upper part of the picture, or half of it."""
    t = np.arange(len(g)) / rate
    start, length = rng.uniform(.5, 1.5), rng.uniform(.4, 2)
    w, h = rng.uniform(.4, 1.2) * COLUMNS, rng.uniform(.35, .7) * ROWS
    edge = COLUMNS - (t - start) / length * (COLUMNS + w)
    level = np.clip(rng.uniform(15, 220) + rng.normal(0, 15, (ROWS, COLUMNS)), 0, 255)
    y, x = np.mgrid[0:ROWS, 0:COLUMNS]
    out = g.copy()
    for i in range(len(g)):
        inside = (x >= edge[i]) & (x < edge[i] + w) & (y < h)
        out[i][inside] = level[inside]
    return out, np.zeros(len(g))


def turn(rng, g, rate):
    """The camera turns: the picture slides."""
    t = np.arange(len(g)) / rate
    start, length = rng.uniform(.5, 1.5), rng.uniform(.2, 1.2)
    slide = ramp(t, start, length) * rng.uniform(2, 10) * rng.choice([-1, 1])
    out = np.empty_like(g)
    for i in range(len(g)):
        x = np.clip(np.arange(COLUMNS) + slide[i], 0, None)
        x = np.abs((x + COLUMNS - 1) % (2 * COLUMNS - 2) - (COLUMNS - 1))
        lo = np.floor(x).astype(int).clip(0, COLUMNS - 2)
        out[i] = g[i][:, lo] * (1 - (x - lo)) + g[i][:, lo + 1] * (x - lo)
    return out, np.zeros(len(g))


def cut(rng, g, rate, other):
    """Another scene from one frame to the next."""
    at = int(rng.uniform(.3, .7) * len(g))
    out = g.copy()
    out[at:] = other[:1] if len(other) < len(g) else other[at:len(g)]
    return out, np.zeros(len(g))
