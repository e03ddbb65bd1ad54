"""Drawn glasses and drawn look-alikes, on patches of `dataset.py`.

Real pictures of glasses show mostly thick rims; what is missing is drawn: thin rims, rims above only, rimless lenses told only
by their bridge, screws and reflections, dark lenses.  Look-alikes (brows, hair, shade, a band, spots of light) go on bare faces,
so that a line near an eye alone is no glasses.  Sizes are in eye distances; a lens is 48 to 58 mm wide, the eyes 63 mm apart."""
import cv2
import numpy as np
import crop, dataset

SUPER = 1                                             # drawn at this many times the patch's density
UNIT = dataset.PATCH_W / (dataset.PATCH_W / (dataset.DENSITY * crop.WIDTH)) / crop.SPAN      # eye distance, patch pixels
EYE_Y = dataset.PATCH_H / 2 - crop.DOWN * UNIT


def lens_outline(centre, half_w, half_h, power, taper, tilt, flip):
    """Points of a superellipse, narrower towards the nose by `taper`."""
    t = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    x = np.sign(np.cos(t)) * np.abs(np.cos(t)) ** (2 / power)
    y = np.sign(np.sin(t)) * np.abs(np.sin(t)) ** (2 / power)
    y = np.where(y > 0, y * (1 - taper * (1 - x * flip) / 2), y)
    x, y = x * half_w, y * half_h
    c, s = np.cos(tilt * flip), np.sin(tilt * flip)
    return np.stack([centre[0] + c * x - s * y, centre[1] + s * x + c * y], 1)


def blend(image, mask, value, alpha):
    return image + (mask * alpha) * (value - image)


def stroke(shape, lines, thickness, closed=False):
    """Antialiased mask of polylines; thinner than a pixel becomes fainter."""
    m = np.zeros(shape, np.uint8)
    px = max(1, int(round(thickness)))
    for line in lines:
        cv2.polylines(m, [np.round(line * 16).astype(np.int32)], closed, 255, px, cv2.LINE_AA, 4)
    return m.astype(np.float32) / 255 * min(1.0, thickness / px)


def fill(shape, outlines):
    m = np.zeros(shape, np.uint8)
    for o in outlines:
        cv2.fillPoly(m, [np.round(o * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return m.astype(np.float32) / 255


def glare(image, inside, boxes, r):
    """Reflections on the glass: soft streaks and spots within the lenses."""
    yy, xx = np.mgrid[:image.shape[0], :image.shape[1]].astype(np.float32)
    for (x, y, w, h) in boxes:
        for _ in range(r.integers(1, 3)):
            a = r.uniform(0, np.pi)
            ux, uy = xx - x - r.uniform(-.8, .8) * w, yy - y - r.uniform(-.8, .8) * h
            u, v = ux * np.cos(a) + uy * np.sin(a), -ux * np.sin(a) + uy * np.cos(a)
            d = np.hypot(u / (r.uniform(.1, 1.2) * w), v / (r.uniform(.05, .4) * h))
            m = 1 / (1 + np.exp(np.clip(r.uniform(3, 12) * (d - 1), -30, 30)))
            image = blend(image, m * inside, r.uniform(150, 255), r.uniform(.15, .9))
    return image


def glasses(patch, yaw, r, dark):
    """A patch of a bare face with glasses drawn on it; `dark`: with dark lenses."""
    k, unit = SUPER, UNIT * SUPER
    image = cv2.resize(patch, None, fx=k, fy=k, interpolation=cv2.INTER_LINEAR).astype(np.float32)
    shape, c = image.shape, np.cos(np.radians(yaw))
    face = float(np.median(image[shape[0] // 3:2 * shape[0] // 3, shape[1] // 3:2 * shape[1] // 3]))
    kind = "full" if dark and r.random() < .8 else r.choice(["full", "thin", "half", "rimless"], p=[.25, .35, .15, .25])
    half_w, half_h = r.uniform(.36, .46), r.uniform(.2, .38) if not dark else r.uniform(.26, .42)
    half_h = min(half_h, half_w)
    apart, down, roll = r.uniform(-.03, .06), r.uniform(-.02, .14), r.uniform(-.05, .05)
    power, taper, tilt = r.uniform(2, 4.5), r.uniform(-.05, .35), r.uniform(-.06, .1)
    ex = np.array([np.cos(roll), np.sin(roll)]); ey = np.array([-ex[1], ex[0]])
    middle = np.array([shape[1] / 2 + r.uniform(-.04, .04) * unit, EYE_Y * k])
    at = lambda x, y: middle + ex * x * c * unit + ey * y * unit
    outlines, boxes, ends = [], [], []
    for side in (-1, 1):                              # the nearer lens is a little larger
        near = 1 + .12 * np.sin(np.radians(yaw)) * -side
        centre = at(side * (.5 + apart), down)
        o = lens_outline((0, 0), half_w * near * c * unit, half_h * near * unit, power, taper, tilt, side)
        outlines.append(centre + o[:, :1] * ex + o[:, 1:] * ey)
        boxes.append((*centre, half_w * c * unit, half_h * unit))
        hinge = at(side * (.5 + apart + half_w * near * .97), down - half_h * r.uniform(.2, .7))
        away = at(side * r.uniform(1.0, 1.22), down - half_h * .4 + r.uniform(-.12, .12))
        ends.append(np.array([hinge, away]))
    inner = .5 + apart - half_w
    bridge_y = down - half_h * r.uniform(.1, .7)
    arch = r.uniform(.0, .1)
    bridge = np.array([at(x * inner * 1.08, bridge_y - arch * (1 - x * x)) for x in np.linspace(-1, 1, 9)])
    inside = fill(shape, outlines)
    tone = r.uniform(0, 70) if r.random() < .65 else r.uniform(70, 255)
    if abs(tone - face) < 25:
        tone = max(0.0, face - r.uniform(30, 80))
    thick = {"full": r.uniform(.03, .1), "thin": r.uniform(.01, .028), "half": r.uniform(.012, .05), "rimless": .008}[kind] * unit
    alpha = r.uniform(.55, 1) if kind != "full" else r.uniform(.75, 1)
    shadow = stroke(shape, [o + ey * thick * 1.2 for o in outlines], thick * 1.5, True)       # of the rim, on the cheek
    if r.random() < .4:
        image = image * (1 - cv2.GaussianBlur(shadow, (0, 0), max(1., thick)) * r.uniform(.1, .45))
    if dark:
        depth = r.uniform(.68, 1)
        ramp = np.clip((np.mgrid[:shape[0], :shape[1]][0] - (middle[1] - half_h * unit)) / (2 * half_h * unit), 0, 1)
        veil = depth * (1 - (r.uniform(.1, .4) if r.random() < .35 else 0) * ramp)
        image = blend(image, inside, r.uniform(0, 60), veil.astype(np.float32))
        if r.random() < .6:
            image = glare(image, inside, boxes, r)
    else:
        if r.random() < .5:                           # the glass itself: a little darker or lighter, the eye a little moved
            image = image * (1 + inside * r.uniform(-.18, .1))
        if r.random() < (.45 if kind != "rimless" else .75):
            image = glare(image, inside, boxes, r)
    rim = np.zeros(shape, np.float32)
    if kind in ("full", "thin"):
        rim = stroke(shape, outlines, thick, True)
        if kind == "full" and r.random() < .5:        # heavier above
            rim = np.maximum(rim, stroke(shape, [o[36:] for o in outlines], thick * r.uniform(1.3, 2)))
    elif kind == "half":
        rim = stroke(shape, [o[34:] for o in outlines], thick)
        rim = np.maximum(rim, stroke(shape, outlines, .006 * unit, True) * r.uniform(0, .4))
    else:
        rim = stroke(shape, outlines, .01 * unit, True) * r.uniform(.15, .7)
    metal = r.random() < .5 and kind != "full"
    parts = stroke(shape, [bridge], max(thick, .012 * unit) * r.uniform(.8, 1.4))
    arms = stroke(shape, [e for e in ends], max(thick, .014 * unit) * r.uniform(.8, 1.5)) * (r.random(1)[0] < .85)
    rim = np.maximum(np.maximum(rim, parts), arms)
    image = blend(image, rim, tone, alpha)
    if metal:                                         # light runs along a wire
        lit = stroke(shape, [o - ey * thick * .5 for o in outlines] + [bridge], max(1., thick * .5), True)
        w = cv2.resize(r.uniform(0, 1, (3, 6)).astype(np.float32), shape[::-1], interpolation=cv2.INTER_CUBIC)
        image = blend(image, lit * np.clip(w * 1.6 - .6, 0, 1), r.uniform(180, 255), alpha * .8)
    if kind == "rimless" or r.random() < .3:          # screws, hinges and nose pads catch the light
        spots = [(side * (.5 + apart + s * half_w * .95), bridge_y) for side in (-1, 1) for s in (-1, 1)] + [(s * .17, down + .12) for s in (-1, 1)]
        m = np.zeros(shape, np.uint8)
        for x, y in spots:
            if r.random() < .8:
                cv2.circle(m, tuple(int(v) for v in at(x, y)), max(1, int(r.uniform(.01, .03) * unit)), 255, -1, cv2.LINE_AA)
        image = blend(image, m.astype(np.float32) / 255, 255. if r.random() < .75 else 20., r.uniform(.5, 1))
    if r.random() < .7:                               # no sharper than the picture it is drawn on
        image = cv2.GaussianBlur(image, (0, 0), r.uniform(.5, 2.2))
    return np.clip(cv2.resize(image, None, fx=1 / k, fy=1 / k, interpolation=cv2.INTER_AREA) + .5, 0, 255).astype(np.uint8)


def hand(image, r):
    """Fingers in front of the face, or a phone or mug: rims of round or straight things that are no glasses."""
    shape, unit = image.shape, UNIT
    tone = float(np.clip(np.median(image) + r.uniform(-40, 40), 25, 235))
    root = np.array([shape[1] / 2 + r.choice([-1, 1]) * r.uniform(.2, 1.3) * unit, EYE_Y + r.uniform(-.7, 1.0) * unit])
    a, width = r.uniform(0, 2 * np.pi), r.uniform(.12, .26) * unit
    along, across = np.array([np.cos(a), np.sin(a)]), np.array([-np.sin(a), np.cos(a)])
    if r.random() < .25:                              # a phone, a book, a mug
        w, h = r.uniform(.25, .7) * unit, r.uniform(.5, 1.3) * unit
        corners = [np.array([root + along * x * h + across * y * w for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))])]
        image = blend(image, fill(shape, corners), r.uniform(10, 245), 1.0)
        return blend(image, stroke(shape, corners, r.uniform(.5, 5), True), r.uniform(0, 255), r.uniform(.3, 1))
    yy, xx = np.mgrid[:shape[0], :shape[1]].astype(np.float32)
    for n in range(r.integers(1, 5)):
        p = root + across * width * n * r.uniform(.95, 1.3); b = a + r.normal(0, .12); q = np.array([np.cos(b), np.sin(b)])
        length = r.uniform(.7, 1.6) * unit
        t = np.clip((xx - p[0]) * q[0] + (yy - p[1]) * q[1], -length, 0)
        d = np.hypot(xx - p[0] - t * q[0], yy - p[1] - t * q[1]) / (width / 2)
        m = 1 / (1 + np.exp(np.clip(r.uniform(8, 25) * (d - 1), -30, 30)))
        image = image * (1 - .35 * np.exp(-np.maximum(d - 1, 0) * 4) * (1 - m) * r.random())       # its shadow
        image = blend(image, m, tone * (1 - r.uniform(.1, .5) * np.clip(d, 0, 1) ** 2), 1.0)
        if r.random() < .4:                           # a nail
            image = blend(image, np.exp(-(((xx - p[0]) ** 2 + (yy - p[1]) ** 2) / (width * .25) ** 2)), min(255, tone * 1.25), .6)
    return image


def covered(patch, yaw, r):
    """Glasses with a hand or a thing in front of a part."""
    return np.clip(hand(patch.astype(np.float32), r) + .5, 0, 255).astype(np.uint8)


def look_alike(patch, yaw, r):
    """Still a bare face: with something on it that might be taken for glasses."""
    image = patch.astype(np.float32)
    shape, unit, y0, x0 = image.shape, UNIT, EYE_Y, dataset.PATCH_W / 2
    yy, xx = np.mgrid[:shape[0], :shape[1]].astype(np.float32)
    for what in r.choice(["hair", "brow", "spots", "band", "line", "bags", "blob", "hand", "hand"], size=r.integers(1, 3), replace=False):
        if what == "hair":
            for _ in range(r.integers(1, 7)):
                a = np.array([r.uniform(0, shape[1]), r.uniform(-20, y0 - .1 * unit)]); b = a + np.array([r.uniform(-.8, .8), r.uniform(.3, 1.3)]) * unit
                mid = (a + b) / 2 + r.uniform(-.15, .15, 2) * unit
                t = np.linspace(0, 1, 12)[:, None]
                image = blend(image, stroke(shape, [(1 - t) ** 2 * a + 2 * t * (1 - t) * mid + t * t * b], r.uniform(.4, 3)), r.uniform(0, 80), r.uniform(.4, 1))
        elif what == "brow":
            for side in (-1, 1):
                t = np.linspace(-1, 1, 12)
                x = x0 + side * .5 * unit + t * r.uniform(.3, .42) * unit; y = y0 - r.uniform(.24, .36) * unit + t * t * .06 * unit
                image = blend(image, cv2.GaussianBlur(stroke(shape, [np.stack([x, y], 1)], r.uniform(.03, .1) * unit), (0, 0), 1.2), r.uniform(0, 60), r.uniform(.4, .9))
        elif what == "spots":                         # wet eyes, pupils in infrared light, drops
            for _ in range(r.integers(1, 6)):
                x, y, s = x0 + r.uniform(-.9, .9) * unit, y0 + r.uniform(-.2, .5) * unit, r.uniform(.01, .06) * unit
                image = blend(image, np.exp(-((xx - x) ** 2 + (yy - y) ** 2) / (2 * s * s)), 255, r.uniform(.3, 1))
        elif what == "band":                          # shade of a visor or a window's frame
            a = r.normal(0, .35); d = (yy - y0 - r.uniform(-.5, .5) * unit) * np.cos(a) + (xx - x0) * np.sin(a)
            w, soft = r.uniform(.1, .6) * unit, r.uniform(.5, 8)
            m = 1 / (1 + np.exp(np.clip((np.abs(d) - w) / soft, -30, 30)))
            image = image * (1 - m * r.uniform(.15, .75))
        elif what == "line":                          # one line does not make glasses
            a = r.uniform(0, 2 * np.pi); p = np.array([x0 + r.uniform(-.9, .9) * unit, y0 + r.uniform(-.5, .6) * unit])
            q = np.array([np.cos(a), np.sin(a)]) * r.uniform(.2, 1.2) * unit
            image = blend(image, stroke(shape, [np.stack([p - q, p + q])], r.uniform(.5, 5)), r.uniform(0, 255), r.uniform(.3, .9))
        elif what == "bags":                          # folds under the eyes
            for side in (-1, 1):
                t = np.linspace(-1, 1, 12); deep = r.uniform(.03, .1)
                x = x0 + side * .5 * unit + t * r.uniform(.18, .3) * unit; y = y0 + r.uniform(.1, .26) * unit + (1 - t * t) * deep * unit
                image = blend(image, cv2.GaussianBlur(stroke(shape, [np.stack([x, y], 1)], r.uniform(1, 4)), (0, 0), r.uniform(.8, 2)), r.uniform(0, 90), r.uniform(.2, .6))
        elif what == "hand":
            image = hand(image, r)
        else:                                         # a cap, a scarf: something soft over a part
            x, y = x0 + r.uniform(-1.2, 1.2) * unit, y0 + r.uniform(-.7, .9) * unit
            m = 1 / (1 + np.exp(np.clip(8 * (np.hypot((xx - x) / (r.uniform(.2, .6) * unit), (yy - y) / (r.uniform(.2, .6) * unit)) - 1), -30, 30)))
            image = blend(image, m, r.uniform(20, 230), r.uniform(.5, 1))
    return np.clip(image + .5, 0, 255).astype(np.uint8)


def bright_pupils(patch, yaw, r):
    """Infrared lamp beside the lens: bright pupils, flat skin."""
    image = patch.astype(np.float32); c = np.cos(np.radians(yaw))
    yy, xx = np.mgrid[:image.shape[0], :image.shape[1]].astype(np.float32)
    image = image.mean() + (image - image.mean()) * r.uniform(.3, .8)
    for side in (-1, 1):
        x, y, s = dataset.PATCH_W / 2 + side * .5 * c * UNIT, EYE_Y, r.uniform(.03, .05) * UNIT
        m = 1 / (1 + np.exp(np.clip(3 * (np.hypot(xx - x, yy - y) - s), -30, 30)))
        image = blend(image, m, r.uniform(160, 255), r.uniform(.6, 1))
    return np.clip(image + .5, 0, 255).astype(np.uint8)
