"""Shade on a face, made on real pictures, and what pictures suffer otherwise. Light is multiplied in linear light."""
import cv2
import numpy as np

GAMMA = 2.2


def lit(picture, stops):
    """The picture with this many stops taken away, per pixel."""
    gain = 2.0 ** (-stops / GAMMA)
    return np.clip(picture.astype(np.float32) * gain[..., None], 0, 255).astype(np.uint8)


def head(shape, box, grow):
    """1 inside an ellipse around the head, falling to 0 over a tenth of its width."""
    h, w = shape[:2]
    x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    cx, cy = box[0] + box[2] / 2, box[1] + box[3] * .45
    d = np.hypot((x - cx) / (box[2] / 2 * grow), (y - cy) / (box[3] / 2 * grow))
    return np.clip((1.1 - d) / .2, 0, 1)


def half(rng, picture, face, stops):
    """Shade on one side of a line down the face, moved and turned a little, hard or soft."""
    top, _, _, chin = np.array(face["middle"])
    width = face["box"][2]
    down = (chin - top) / np.linalg.norm(chin - top)
    turn = np.radians(rng.uniform(-28, 28))
    down = np.array([down[0] * np.cos(turn) - down[1] * np.sin(turn), down[0] * np.sin(turn) + down[1] * np.cos(turn)])
    across = np.array([-down[1], down[0]]) * rng.choice([-1, 1])
    origin = (top + chin) / 2 + across * rng.uniform(-.15, .1) * width
    h, w = picture.shape[:2]
    x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    distance = (x - origin[0]) * across[0] + (y - origin[1]) * across[1]
    side = np.clip(distance / (rng.uniform(.03, .3) * width) + .5, 0, 1)
    if rng.random() < .7:
        side = side * head(picture.shape, face["box"], 1.6)
    return lit(picture, stops * side.astype(np.float32))


def whole(rng, picture, face, stops):
    """Head and shoulders in the shade of a roof, before a bright scene."""
    h, w = picture.shape[:2]
    b = face["box"]
    mask = head(picture.shape, b, rng.uniform(1.6, 2.2))
    x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    chest = np.clip((y - b[1] - b[3]) / (.2 * b[3]), 0, 1) * np.clip(1.2 - np.abs(x - b[0] - b[2] / 2) / (1.6 * b[2]), 0, 1)
    return lit(picture, stops * np.maximum(mask, np.clip(chest * 3, 0, 1)).astype(np.float32))


def gamma(power):
    table = (255 * (np.arange(256) / 255) ** power).round().astype(np.uint8)
    return lambda p, rng: table[p]


def blur(p, rng):
    return cv2.GaussianBlur(p, (0, 0), max(p.shape) / 250)


def jpeg(p, rng):
    return cv2.imdecode(cv2.imencode(".jpg", p, [cv2.IMWRITE_JPEG_QUALITY, 15])[1], cv2.IMREAD_COLOR)


def darken(p, rng):
    return np.clip(p * .3 + rng.normal(0, 3, p.shape), 0, 255).astype(np.uint8)


CONDITIONS = {"gamma 0.4": gamma(.4), "gamma 0.6": gamma(.6), "gamma 1.6": gamma(1.6), "gamma 2.5": gamma(2.5), "blurred": blur, "JPEG 15": jpeg,
              "half size": lambda p, rng: cv2.resize(p, None, fx=.5, fy=.5, interpolation=cv2.INTER_AREA), "mirrored": lambda p, rng: p[:, ::-1].copy(), "darkened": darken}
