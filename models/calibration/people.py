"""Reference of the appliance's person boxes (firmware/perception/src/person/), for fitting.

numpy does the arithmetic as the firmware does it. Boxes are [x0, y0, x1, y1] in source pixels, x right, y down."""
import os
import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter

SIDE, LEVELS, SCALES, ASPECTS, ANCHOR_SCALE = 320, (3, 4, 5, 6, 7), 3, (1.0, 2.0, 0.5), 3.0
PERSON = 0                            # class column
VOTE_SCORE = 0.15                     # weaker anchors are dropped before anything else
BLEND_IOU, SUPPRESS_IOU = 0.70, 0.45
MASK_SIDE, MASK_MARGIN, PERSON_PIXEL = 256, 0.15, 0.30
FLAT_CONTRAST, GREY_COLOUR = 40.0, 4.0    # grey levels
NEAR_AREA, NEAR_BOTTOM, NEAR_OTHERS, AGREEMENT = 0.20, 0.97, 0.20, 0.65


# ---- pictures

def resampling(n_in, n_out):
    """[n_out, n_in] weights: area average when shrinking, half-pixel bilinear when growing."""
    w, step = np.zeros((n_out, n_in)), n_in / n_out
    for i in range(n_out):
        if step > 1:
            a, b = i * step, (i + 1) * step
            for j in range(int(a), min(n_in, int(np.ceil(b)))):
                w[i, j] = max(0.0, min(b, j + 1) - max(a, j)) / step
        else:
            at = min(max((i + 0.5) * step - 0.5, 0.0), n_in - 1.0)
            j = min(int(at), n_in - 1)
            w[i, j] += 1 - (at - j)
            w[i, min(j + 1, n_in - 1)] += at - j
    return w.astype(np.float32)


def resize(rgb, width, height):
    """Rounded half up once, at the end."""
    x = np.tensordot(resampling(rgb.shape[1], width), rgb.astype(np.float32), axes=(1, 1))
    x = np.tensordot(resampling(rgb.shape[0], height), x, axes=(1, 1))
    return np.clip(np.floor(x + 0.5), 0, 255).astype(np.uint8)


def letterbox(rgb):
    """Square picture for the detector, and (x scale, y scale, x offset, y offset) of the picture in it."""
    h, w = rgb.shape[:2]
    s = SIDE / max(h, w)
    nw, nh = max(1, int(w * s + 0.5)), max(1, int(h * s + 0.5))
    ox, oy = (SIDE - nw) // 2, (SIDE - nh) // 2
    out = np.zeros((SIDE, SIDE, 3), np.uint8)
    out[oy:oy + nh, ox:ox + nw] = resize(rgb, nw, nh)
    return out, (nw / w, nh / h, ox, oy)


def tone(rgb):
    """How flat the picture is, and how grey, of what the detector sees of it: contrast is the deviation of the grey levels, colour
    that of the distance between a pixel's strongest and weakest channel."""
    rgb = rgb.astype(np.float32)
    contrast = ((rgb[..., 0] + 2 * rgb[..., 1] + rgb[..., 2]) / 4).std()
    return max(0.0, np.log(FLAT_CONTRAST / max(contrast, 1.0))), max(0.0, 1 - (rgb.max(2) - rgb.min(2)).std() / GREY_COLOUR)


# ---- boxes

def area(b):
    return (b[..., 2] - b[..., 0]) * (b[..., 3] - b[..., 1])


def shared(a, b):
    w = np.minimum(a[..., 2], b[..., 2]) - np.maximum(a[..., 0], b[..., 0])
    h = np.minimum(a[..., 3], b[..., 3]) - np.maximum(a[..., 1], b[..., 1])
    return np.maximum(w, 0) * np.maximum(h, 0)


def iou(a, b):
    both = shared(a, b)
    return both / (area(a) + area(b) - both)


def share_inside(b, others):
    """Largest share of a box that lies in one of the others."""
    return max((float(shared(b, o) / area(b)) for o in others), default=0.0)


def anchors():
    out = []
    for level in LEVELS:
        stride = 2 ** level
        cells = -(-SIDE // stride)
        for y in range(cells):
            for x in range(cells):
                for k in range(SCALES):
                    base = ANCHOR_SCALE * stride * 2 ** (k / SCALES)
                    for aspect in ASPECTS:                                     # width / height
                        out.append(((y + 0.5) * stride, (x + 0.5) * stride, base / aspect ** 0.5, base * aspect ** 0.5))
    return np.array(out)                                                       # cy, cx, h, w


ANCHORS = anchors()


def decode(scores, codes, frame, width, height):
    """Model outputs -> boxes clipped to the picture, at least 2 px wide and high, and their scores."""
    sx, sy, ox, oy = frame
    k = np.where(scores[:, PERSON] >= VOTE_SCORE)[0]
    a, d, s = ANCHORS[k], codes[k].astype(float), scores[k, PERSON].astype(float)
    cy, cx = d[:, 0] * a[:, 2] + a[:, 0], d[:, 1] * a[:, 3] + a[:, 1]
    h, w = np.exp(d[:, 2]) * a[:, 2], np.exp(d[:, 3]) * a[:, 3]
    b = np.stack([(cx - w / 2 - ox) / sx, (cy - h / 2 - oy) / sy, (cx + w / 2 - ox) / sx, (cy + h / 2 - oy) / sy], 1)
    b[:, 0::2], b[:, 1::2] = b[:, 0::2].clip(0, width), b[:, 1::2].clip(0, height)
    ok = (b[:, 2] - b[:, 0] > 2) & (b[:, 3] - b[:, 1] > 2)
    return b[ok], s[ok]


def merge(boxes, scores, least_score):
    """Greedy: the strongest box takes the score-weighted mean of its near duplicates and removes what it overlaps."""
    order, out = list(np.argsort(-scores, kind="stable")), []
    while order and scores[order[0]] >= least_score:
        top = order[0]
        overlap = iou(boxes[top], boxes[order])
        near = [j for j, v in zip(order, overlap) if v >= BLEND_IOU]
        out.append((np.average(boxes[near], axis=0, weights=scores[near]), float(scores[top])))
        order = [j for j, v in zip(order, overlap) if v < SUPPRESS_IOU]
    return out


# ---- a near person's box is drawn anew around the mask of the person

def is_near(b, width, height):
    return area(b) >= NEAR_AREA * width * height and b[3] >= NEAR_BOTTOM * height


def crop_of(b, width, height):
    """Box grown by MASK_MARGIN of its size on each side, in whole pixels of the picture."""
    mx, my = MASK_MARGIN * (b[2] - b[0]), MASK_MARGIN * (b[3] - b[1])

    def whole(v, top):
        return int(np.floor(min(max(v, 0), top) + 0.5))
    return whole(b[0] - mx, width), whole(b[1] - my, height), whole(b[2] + mx, width), whole(b[3] + my, height)


def mask_box(mask, crop):
    """Box of the mask's largest connected patch, or None."""
    count, _, patches, _ = cv2.connectedComponentsWithStats((mask > PERSON_PIXEL).astype(np.uint8), connectivity=8)
    if count < 2:
        return None
    x, y, w, h, _ = patches[1 + np.argmax(patches[1:, cv2.CC_STAT_AREA])]
    kx, ky = (crop[2] - crop[0]) / MASK_SIDE, (crop[3] - crop[1]) / MASK_SIDE
    return np.array([crop[0] + x * kx, crop[1] + y * ky, crop[0] + (x + w) * kx, crop[1] + (y + h) * ky])


class People:
    def __init__(self, folder):
        self.nets = {}
        for name in ("object_detector", "selfie_segmentation"):
            net = Interpreter(os.path.join(folder, name + ".tflite"), num_threads=1)
            net.allocate_tensors()
            self.nets[name] = net, net.get_input_details()[0]["index"], {tuple(o["shape"]): o["index"] for o in net.get_output_details()}

    def run(self, name, x):
        """Outputs by shape."""
        net, at, outputs = self.nets[name]
        net.set_tensor(at, x[None])
        net.invoke()
        return {shape: net.get_tensor(i)[0] for shape, i in outputs.items()}

    def find(self, rgb, least_score):
        """Persons, most certain first: box, score, the largest share of the detected box that another one covers, 1 if near and lone, and how
        flat and grey the picture is."""
        h, w = rgb.shape[:2]
        x, frame = letterbox(rgb)
        _, _, ox, oy = frame
        flat, grey = tone(x[oy:SIDE - oy, ox:SIDE - ox])
        out = self.run("object_detector", x)
        raw = merge(*decode(out[1, len(ANCHORS), 90], out[1, len(ANCHORS), 4], frame, w, h), least_score)
        found = []
        for i, (b, score) in enumerate(raw):
            others = [o for j, (o, _) in enumerate(raw) if j != i]
            covered = share_inside(b, others)
            if is_near(b, w, h) and covered <= NEAR_OTHERS:
                c = crop_of(b, w, h)
                patch = resize(rgb[c[1]:c[3], c[0]:c[2]], MASK_SIDE, MASK_SIDE).astype(np.float32) / 255
                m = mask_box(self.run("selfie_segmentation", patch)[1, MASK_SIDE, MASK_SIDE, 1][:, :, 0], c)
                if m is not None and iou(m, b) >= AGREEMENT:
                    b = m
            found.append(dict(box=b, score=score, covered=covered, near=float(is_near(b, w, h) and covered <= NEAR_OTHERS), flat=flat, grey=grey))
        return found
