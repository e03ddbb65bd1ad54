"""What light, optics, sensor and codec do to a crop; for training (random) and for stress (stated conditions on patches)."""
import cv2
import numpy as np
import crop, dataset

W, H = crop.WIDTH, crop.HEIGHT
YY, XX = np.mgrid[:H, :W].astype(np.float32)


def jpeg(x, quality):
    return cv2.imdecode(cv2.imencode(".jpg", np.clip(x + .5, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, int(quality)])[1], cv2.IMREAD_GRAYSCALE).astype(np.float32)


def jittered(patch, r, amount=1.0):
    """A crop of a patch, moved, turned and scaled by what eye corners err by, or mirrored."""
    dx, dy = r.uniform(-.06, .06, 2) * W * amount
    k, a = np.exp(r.uniform(-.13, .13) * amount), r.uniform(-.12, .12) * amount
    c, s = np.cos(a) * k, np.sin(a) * k
    flip = -1 if r.random() < .5 else 1
    w, h = W * dataset.DENSITY, H * dataset.DENSITY
    ox, oy = (dataset.PATCH_W - 1) / 2 + dx * dataset.DENSITY, (dataset.PATCH_H - 1) / 2 + dy * dataset.DENSITY
    M = np.array([[flip * c, -s, 0], [flip * s, c, 0]])
    M[:, 2] = [ox, oy] - M[:, :2] @ [(w - 1) / 2, (h - 1) / 2]
    x = cv2.warpAffine(patch, M, (w, h), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE)
    return cv2.resize(x, (W, H), interpolation=cv2.INTER_AREA).astype(np.float32)


def varied(x, r):
    """Any light, blur, noise and compression that a rig may show."""
    if r.random() < .45:                              # few pixels
        f = r.uniform(.3, .95)
        x = cv2.resize(x, (max(12, int(W * f)), max(6, int(H * f))), interpolation=cv2.INTER_AREA)
        if r.random() < .5:
            x = jpeg(x, r.integers(12, 70))
        x = cv2.resize(x, (W, H), interpolation=cv2.INTER_LINEAR)
    if r.random() < .2:
        x = cv2.GaussianBlur(x, (0, 0), r.uniform(.5, 1.8))
    if r.random() < .08:
        k = np.zeros((7, 7), np.float32); k[3] = 1 / 7
        x = cv2.filter2D(x, -1, k if r.random() < .5 else k.T)
    if r.random() < .5:
        x = 255 * (np.clip(x, 0, 255) / 255) ** np.exp(r.uniform(np.log(.35), np.log(2.8)))
    if r.random() < .2:                               # half shade: a soft or hard edge anywhere
        a = r.uniform(0, 2 * np.pi); d = (XX - r.uniform(15, 81)) * np.cos(a) + (YY - r.uniform(8, 40)) * np.sin(a)
        x = x * (1 - r.uniform(.2, .85) / (1 + np.exp(-np.clip(d / r.uniform(.4, 10), -30, 30))))
    if r.random() < .12:                              # a lamp or sky behind: light washes over the picture
        a = r.uniform(0, 2 * np.pi); m = np.clip(.5 + ((XX - W / 2) * np.cos(a) + (YY - H / 2) * np.sin(a)) / W, 0, 1)
        x = x + (255 - x) * m * r.uniform(.1, .7)
    if r.random() < .4:
        x = (x - 128) * r.uniform(.3, 1.4) + 128 + r.uniform(-70, 70)
    night = r.random() < .2
    if night:
        x = x * r.uniform(.06, .5)
    if night or r.random() < .35:
        n = r.normal(0, r.uniform(.5, 7), x.shape)
        if r.random() < .4:
            f = r.uniform(.4, 1); n = cv2.resize(n[:int(H * f), :int(W * f)], (W, H), interpolation=cv2.INTER_LINEAR)
        x = x + n
    x = np.clip(x, 0, 255)
    if r.random() < .25:
        return jpeg(x, r.integers(12, 85))
    return np.round(x).astype(np.float32)


# ---- stress: a stated change of a source picture, done on its patch at the size the face had there

def at_source(patch, distance, change):
    """Patch -> the size its pixels had in the picture -> `change` -> back."""
    w = max(8, int(round(crop.SPAN * distance * dataset.PATCH_W / (dataset.DENSITY * W)))); h = max(6, int(round(w * dataset.PATCH_H / dataset.PATCH_W)))
    x = cv2.resize(patch, (w, h), interpolation=cv2.INTER_AREA if w < dataset.PATCH_W else cv2.INTER_LINEAR).astype(np.float32)
    x = change(x)
    return np.clip(cv2.resize(x, (dataset.PATCH_W, dataset.PATCH_H), interpolation=cv2.INTER_LINEAR) + .5, 0, 255).astype(np.uint8)


def half_shade(x):
    x = x.copy(); x[:, :x.shape[1] // 2] *= .35
    return x


def infrared(x):
    """Grey, flat, the lamp's fall-off, a little noise."""
    r = np.random.default_rng(7); h, w = x.shape
    yy, xx = np.mgrid[:h, :w]; fall = 1 - .5 * np.hypot((xx - w / 2) / w, (yy - h / 2) / h)
    return np.clip((90 + (x - x.mean()) * .45) * fall + r.normal(0, 2, x.shape), 0, 255)


STRESS = {
    "plain": None,
    "gamma 0.4": lambda x: 255 * (x / 255) ** .4,
    "gamma 2.5": lambda x: 255 * (x / 255) ** 2.5,
    "blur": lambda x: cv2.GaussianBlur(x, (0, 0), 2.0),
    "half-face shade": half_shade,
    "JPEG 15": lambda x: jpeg(x, 15),
    "half size": lambda x: cv2.resize(cv2.resize(x, None, fx=.5, fy=.5, interpolation=cv2.INTER_AREA), x.shape[::-1], interpolation=cv2.INTER_LINEAR),
    "mirrored": lambda x: x[:, ::-1],
    "dark": lambda x: np.clip(x * .2 + np.random.default_rng(5).normal(0, 4, x.shape), 0, 255),
    "infrared": infrared,
}


def stressed(patch, distance, name, points_err=None):
    """The crop of a patch under a stated condition, its eye corners a little off, as they are on a worse picture."""
    change = STRESS[name]
    p = patch if change is None else at_source(patch, distance, change)
    dx, dy, da, dk = points_err if points_err is not None else (0, 0, 0, 0)
    w, h = W * dataset.DENSITY, H * dataset.DENSITY
    k = np.exp(dk); c, s = np.cos(da) * k, np.sin(da) * k
    M = np.array([[c, -s, 0], [s, c, 0]])
    M[:, 2] = [(dataset.PATCH_W - 1) / 2 + dx * w, (dataset.PATCH_H - 1) / 2 + dy * w] - M[:, :2] @ [(w - 1) / 2, (h - 1) / 2]
    x = cv2.warpAffine(p, M, (w, h), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE)
    return cv2.resize(x, (W, H), interpolation=cv2.INTER_AREA).astype(np.float32)
