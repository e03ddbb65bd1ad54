"""Synthetic truth: things pasted over unoccluded faces, and what then is covered.

Everything is drawn on the 160-pixel patches of faces.py, where the face's box has a side of 80. `Scene.sample` returns a
network crop, four labels (the subject's right eye, left eye, mouth, face) and their weights (0: neither yes nor no)."""
import cv2
import numpy as np

from faces import CROP, CROP_FACES, PATCH, PATCH_FACES

F = PATCH / PATCH_FACES                                         # the face's side in patch pixels
YY, XX = np.mgrid[:PATCH, :PATCH].astype(np.float32)
OVAL = [10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136,
        172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109]
BELOW_BROWS = [389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234,
               127, 162, 70, 63, 105, 66, 107, 9, 336, 296, 334, 293, 300]
RIGHT_EYE = [33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7]
LEFT_EYE = [263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249]
LIPS = [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146]
UNDER_MASK = [234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361, 323, 454]
COVERED, CLEAR = .6, .15                                        # shares of an eye or a mouth: from, up to
FACE_COVERED, FACE_CLEAR = .14, .04                             # shares of the face below the brows
FAR_YAW, NEAR_YAW = 40, 55                                      # as the firmware's eyes.rs: an eye turned further is not judged


def polygon(points, grow=1.0, shift=(0, 0)):
    """Filled, antialiased, 0 to 1."""
    middle = points.mean(0)
    p = (points - middle) * grow + middle + shift
    mask = np.zeros((PATCH, PATCH), np.uint8)
    cv2.fillPoly(mask, [np.round(p * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return mask


def capsule(mask, a, b, width, value=255):
    cv2.line(mask, *[tuple(int(v * 16) for v in p) for p in (a, b)], value, max(1, int(round(width))), cv2.LINE_AA, 4)


def soft(mask, by):
    return cv2.GaussianBlur(mask, (0, 0), by) if by > .2 else mask


def waves(r, scale, size=PATCH):
    """Smooth noise, mean 0, deviation about 1."""
    n = max(2, int(round(size / scale)))
    return cv2.resize(r.normal(0, 1, (n, n)).astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC)


class Scene:
    """Faces to draw on, and photographs whose texture covers them."""

    def __init__(self, faces, photographs):
        self.faces, self.photographs = faces, photographs
        self.count = len(faces["patch"])

    # ---- textures

    def skin(self, r, i):
        """Cheek of this face or another, enlarged, under its own light."""
        j = i if r.random() < .6 else int(r.integers(self.count))
        p, image = self.faces["points"][j], self.faces["patch"][j]
        x, y = p[50 if r.random() < .5 else 280]
        half = int(r.integers(6, 12))
        x, y = int(np.clip(x, half, PATCH - half)), int(np.clip(y, half, PATCH - half))
        piece = cv2.resize(image[y - half:y + half, x - half:x + half], (PATCH // 2, PATCH // 2), interpolation=cv2.INTER_CUBIC)
        t = cv2.copyMakeBorder(piece, 40, 40, 40, 40, cv2.BORDER_REFLECT_101).astype(np.float32)
        if j != i:
            t = t * (self.faces["level"][i] / max(self.faces["level"][j], 10))
        return t * np.exp(r.normal(0, .22)) + waves(r, r.uniform(20, 60)) * r.uniform(2, 14) + waves(r, 3) * r.uniform(0, 4)

    def photograph(self, r):
        image = self.photographs[r.integers(len(self.photographs))]
        side = int(r.uniform(.15, .8) * min(image.shape))
        y, x = (int(r.integers(0, n - side + 1)) for n in image.shape)
        t = cv2.resize(image[y:y + side, x:x + side], (PATCH, PATCH), interpolation=cv2.INTER_AREA if side > PATCH else cv2.INTER_LINEAR)
        t = t[:, ::-1] if r.random() < .5 else t
        return (t.astype(np.float32) - t.mean()) * r.uniform(.4, 1.1) + r.uniform(30, 210)

    def plain(self, r):
        a = r.uniform(0, 2 * np.pi)
        slope = ((XX - 80) * np.cos(a) + (YY - 80) * np.sin(a)) / 80
        return r.uniform(8, 245) + slope * r.uniform(0, 50) + waves(r, r.uniform(4, 40)) * r.uniform(0, 8)

    def hair(self, r, i):
        a = r.normal(np.pi / 2, .35)
        n = r.normal(0, 1, (PATCH, PATCH)).astype(np.float32)
        k = np.zeros((25, 25), np.float32)
        cv2.line(k, *[(int(12 - s * 12 * np.cos(a)), int(12 - s * 12 * np.sin(a))) for s in (1, -1)], 1, 1)
        streaks = cv2.filter2D(n, -1, k / k.sum(), borderType=cv2.BORDER_REFLECT)
        level = r.uniform(10, 90) if r.random() < .7 else r.uniform(90, 200)
        return level + streaks * r.uniform(15, 120) * level / 100 + waves(r, 30) * r.uniform(0, 15)

    # ---- shapes: (mask 0..255, texture)

    def hand(self, r, i):
        """Palm, fingers with dark seams, wrist and arm; fingers point up to the sky or anywhere."""
        at, size = self.target(r, i), F * r.uniform(.75, 1.15)
        up = r.normal(-np.pi / 2, .7) if r.random() < .75 else r.uniform(0, 2 * np.pi)
        d, n = np.array([np.cos(up), np.sin(up)]), np.array([-np.sin(up), np.cos(up)])
        mask, texture = np.zeros((PATCH, PATCH), np.uint8), self.skin(r, i)
        finger, fist = size * r.uniform(.095, .13), r.random() < .25
        # where on the hand the target lies: finger tips or palm
        root = at - d * size * r.uniform(-.15, .45)
        count = int(r.choice([1, 2, 3, 4], p=[.1, .15, .15, .6]))
        spread = r.uniform(.0, .28)
        seams = []
        for k in range(count):
            o = k - (count - 1) / 2
            base = root + n * o * finger * r.uniform(.95, 1.15)
            length = size * (.24 if fist else .5) * (1 - .08 * abs(o)) * r.uniform(.85, 1.1)
            bend = up + o * spread + r.normal(0, .05)
            tip = base + length * np.array([np.cos(bend), np.sin(bend)])
            capsule(mask, base, tip, finger)
            seams.append((base + n * finger * .5, tip + n * finger * .5))
        wide = max(count, 2.5) * finger * r.uniform(.9, 1.1)
        palm = root - d * size * .22
        cv2.ellipse(mask, tuple(int(v) for v in palm), (int(size * .3), max(2, int(wide * .55))), float(np.degrees(up)), 0, 360, 255, -1, cv2.LINE_AA)
        if r.random() < .6:                                     # thumb
            side = r.choice([-1, 1])
            turn = up + side * r.uniform(.5, 1.1)
            b = palm + n * side * wide * .4
            capsule(mask, b, b + size * .33 * np.array([np.cos(turn), np.sin(turn)]), finger * 1.1)
        arm = up + np.pi + r.normal(0, .3)
        capsule(mask, palm - d * size * .2, palm + 3 * size * np.array([np.cos(arm), np.sin(arm)]), wide * r.uniform(.6, .9))
        shade = np.zeros((PATCH, PATCH), np.uint8)
        for a, b in seams[:-1]:
            capsule(shade, a, b, max(1, finger * .18))
        texture = texture * (1 - soft(shade, 1.2).astype(np.float32) / 255 * r.uniform(.15, .6))
        inner = cv2.GaussianBlur(mask, (0, 0), finger * .3).astype(np.float32) / 255       # round: darker to the rim
        return mask, texture * (1 - r.uniform(.1, .5) * (1 - inner) * 2)

    def phone(self, r, i):
        at = self.target(r, i)
        w = F * r.uniform(.3, .5)
        h = w * r.uniform(1.7, 2.2)
        a = r.uniform(0, np.pi) if r.random() < .3 else r.normal(0, .35)
        c, s = np.cos(a), np.sin(a)
        def box(shrink):
            q = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * [w / 2 - shrink, h / 2 - shrink]
            return q @ np.array([[c, s], [-s, c]]) + at
        mask = polygon(box(0))
        texture = self.plain(r)
        if r.random() < .4:
            screen = polygon(box(w * .06)).astype(np.float32) / 255
            texture = texture * (1 - screen) + screen * (self.photograph(r) if r.random() < .5 else self.plain(r))
        return self.held(r, i, mask, texture, at) if r.random() < .7 else (mask, texture)

    def held(self, r, i, mask, texture, at):
        """A hand's fingers around a thing."""
        skin, fingers = self.skin(r, i), np.zeros((PATCH, PATCH), np.uint8)
        side, wide, y = r.choice([-1, 1]), F * r.uniform(.085, .12), at[1] - F * r.uniform(-.05, .3)
        for k in range(int(r.integers(2, 5))):
            p = np.array([at[0] + side * F * r.uniform(.18, .3), y + k * wide * 1.1])
            capsule(fingers, p, p - [side * F * r.uniform(.15, .35), r.normal(0, 2)], wide)
        capsule(fingers, [at[0] + side * F * .28, y + 2 * wide], [at[0] + side * F * r.uniform(.2, 1), 200], wide * 3.2)
        f = fingers.astype(np.float32) / 255
        round_ = 1 - r.uniform(.1, .5) * (1 - cv2.GaussianBlur(f, (0, 0), wide * .25))
        return np.maximum(mask, fingers), texture * (1 - f) + skin * round_ * f

    def mug(self, r, i):
        p = self.faces["points"][i]
        at = (p[13] if r.random() < .8 else self.target(r, i)) + r.normal(0, F * .07, 2) + [0, F * r.uniform(.0, .22)]
        w, h = F * r.uniform(.32, .6), F * r.uniform(.35, .7)
        a = r.normal(0, .3)
        c, s = np.cos(a), np.sin(a)
        top, bottom = w / 2, w / 2 * r.uniform(.65, 1)
        q = np.array([[-top, -h / 2], [top, -h / 2], [bottom, h / 2], [-bottom, h / 2]]) @ np.array([[c, s], [-s, c]]) + at
        mask, texture = polygon(q), (self.plain(r) if r.random() < .7 else self.photograph(r))
        u = ((XX - at[0]) * c + (YY - at[1]) * s) / max(top, 1)
        texture = texture * np.clip(1 - r.uniform(0, .6) * (u - r.uniform(-.5, .5)) ** 2, .2, 1)
        if r.random() < .6:                                     # the rim, seen from above or below
            rim = np.zeros((PATCH, PATCH), np.uint8)
            edge = (q[0] + q[1]) / 2
            cv2.ellipse(rim, tuple(int(v) for v in edge), (max(2, int(top)), max(1, int(top * r.uniform(.1, .45)))), float(np.degrees(a)), 0, 360, 255, -1, cv2.LINE_AA)
            mask = np.maximum(mask, rim)
            f = rim.astype(np.float32) / 255
            texture = texture * (1 - f) + f * r.uniform(10, 240)
        return self.held(r, i, mask, texture, at) if r.random() < .7 else (mask, texture)

    def mask(self, r, i):
        """A mask or scarf: from the nose or from under it down to the chin."""
        p = self.faces["points"][i]
        top = p[6] * (k := r.uniform(0, 1)) + p[2] * (1 - k) if r.random() < .8 else p[13] + [0, 1]
        under = p[UNDER_MASK]
        middle = under.mean(0)
        low = (under - middle) * r.uniform(.95, 1.12) + middle
        inset = int(r.integers(0, 4))
        low = low[inset:len(low) - inset]
        m = polygon(np.concatenate([low, [top + [F * .12, F * .04], top, top + [-F * .12, F * .04]]]))
        kind = r.random()
        t = r.uniform(120, 245) if kind < .5 else r.uniform(10, 90)
        texture = t + waves(r, r.uniform(10, 50)) * r.uniform(2, 15) if kind < .75 else self.photograph(r)
        if r.random() < .6:
            texture = texture - r.uniform(4, 30) * (np.sin((YY - top[1]) / r.uniform(1.5, 4)) > .8)
        return m, texture + (YY - middle[1]) * r.uniform(-.5, .5)

    def fringe(self, r, i):
        """Hair from above: over the forehead only, or down over one eye or both; strands from the side."""
        p = self.faces["points"][i]
        eyes = (p[159, 1] + p[386, 1]) / 2
        left, right = sorted([p[234, 0], p[454, 0]])
        if r.random() < .5:
            x0, x1 = left - F * .15, right + F * .15
        elif r.random() < .5:
            x0, x1 = left - F * .2, r.uniform(left, right)
        else:
            x0, x1 = r.uniform(left, right), right + F * .2
        depth = eyes + F * r.choice([r.uniform(-.35, -.14), r.uniform(.02, .3)])
        n = int(r.integers(8, 22))
        xs = np.linspace(x0, x1, n)
        ys = depth + r.normal(0, F * .035, n) + np.linspace(0, F * r.normal(0, .12), n)
        ys[1::2] -= F * r.uniform(0, .08)
        return polygon(np.concatenate([np.stack([xs, ys], 1), [[x1 + 10, -20], [x0 - 10, -20]]])), self.hair(r, i)

    def arm(self, r, i):
        at, a = self.target(r, i), r.uniform(0, np.pi)
        mask = np.zeros((PATCH, PATCH), np.uint8)
        d = np.array([np.cos(a), np.sin(a)]) * 250
        whole = r.random() < .5
        capsule(mask, at - (d if whole else 0 * d), at + d, F * r.uniform(.2, .5))
        k = r.random()
        return mask, self.skin(r, i) if k < .4 else self.photograph(r) if k < .7 else self.plain(r)

    def blob(self, r, i):
        """Anything: an ellipse or polygon of any texture."""
        at, n = self.target(r, i), int(r.integers(4, 9))
        angles = np.sort(r.uniform(0, 2 * np.pi, n))
        radii = F * r.uniform(.12, .45) * r.uniform(.6, 1.3, n)
        q = at + np.stack([np.cos(angles) * radii, np.sin(angles) * radii * r.uniform(.5, 1.4)], 1)
        mask = polygon(q)
        if r.random() < .6:
            mask = ((cv2.GaussianBlur(mask, (0, 0), r.uniform(2, 6)) > 127) * 255).astype(np.uint8)
        k = r.random()
        return mask, self.photograph(r) if k < .5 else self.skin(r, i) if k < .75 else self.plain(r)

    def edge(self, r, i):
        """The picture ends: the last pixels go on."""
        image, t = self.faces["patch"][i], np.zeros((PATCH, PATCH), np.uint8)
        where, side = int(PATCH / 2 + F * r.uniform(-.25, .6)), int(r.integers(4))
        out = image.copy()
        if side % 2:
            out, t = out.T, t.T
        if side < 2:
            out[where:], t[where:] = out[where - 1], 255
        else:
            out[:PATCH - where], t[:PATCH - where] = out[PATCH - where], 255
        if side % 2:
            out, t = out.T, t.T
        return np.ascontiguousarray(t), np.ascontiguousarray(out).astype(np.float32)

    def target(self, r, i):
        """A point of the face that things are held to."""
        p = self.faces["points"][i]
        k = r.random()
        at = p[13] if k < .3 else p[r.choice([159, 386])] if k < .6 else p[r.choice([50, 280, 1])] if k < .75 else p[r.choice([132, 361, 234, 454])] if k < .9 else p[152]
        return at + r.normal(0, F * .08, 2)

    # ---- what looks like it and is not

    def likeness(self, r, i, image):
        """Shade, stripes of sun, glare, frames of glasses, beards, bright pupils: nothing is covered."""
        p = self.faces["points"][i]
        if r.random() < .3:                                     # half-face shade, sharp or soft
            a, d = r.uniform(0, 2 * np.pi), r.uniform(.5, 25)
            s = ((XX - 80 - r.uniform(-30, 30)) * np.cos(a) + (YY - 80 - r.uniform(-30, 30)) * np.sin(a)) / d
            image = image * (1 - r.uniform(.2, .85) / (1 + np.exp(-np.clip(s, -30, 30))))
        if r.random() < .1:                                     # sun through leaves or blinds
            m = cv2.GaussianBlur((waves(r, r.uniform(10, 50)) > r.uniform(-.5, 1)).astype(np.float32), (0, 0), r.uniform(.6, 4))
            image = image * (1 + m * r.uniform(-.7, 1.2))
        if r.random() < .12:                                    # beard
            m = polygon(np.concatenate([p[UNDER_MASK], [p[2] + [0, F * .03]]])).astype(np.float32) / 255
            m = soft(m * (1 - polygon(p[LIPS], 1.1).astype(np.float32) / 255), r.uniform(1, 4))
            image = image * (1 - m * r.uniform(.2, .7) * np.clip(1 + .35 * waves(r, 2), 0, 2))
        if r.random() < .12 and self.faces["glasses"][i] != "glasses":
            frame = np.zeros((PATCH, PATCH), np.uint8)
            wide, thick = F * r.uniform(.15, .2), max(1, int(F * r.uniform(.012, .06)))
            tall, rim = wide * r.uniform(.55, .95), int(r.uniform(5, 250))
            middles = [p[e].mean(0) + [0, F * .015] for e in (RIGHT_EYE, LEFT_EYE)]
            for m in middles:
                if r.random() < .5:
                    cv2.ellipse(frame, tuple(int(v) for v in m), (int(wide), int(tall)), 0, 0, 360, 255, thick, cv2.LINE_AA)
                else:
                    cv2.rectangle(frame, tuple(int(v) for v in m - [wide, tall * .7]), tuple(int(v) for v in m + [wide, tall * .9]), 255, thick, cv2.LINE_AA)
            a, b = sorted(middles, key=lambda m: m[0])
            capsule(frame, a + [wide, -tall * .2], b - [wide, tall * .2], thick)
            f = soft(frame, r.uniform(0, 1)).astype(np.float32)[..., :] / 255
            image = image * (1 - f) + rim * f
        if r.random() < .1:                                     # reflections on glasses
            for e in (RIGHT_EYE, LEFT_EYE):
                at, a = p[e].mean(0) + r.normal(0, F * .05, 2), r.uniform(0, np.pi)
                u, v = (XX - at[0]) * np.cos(a) + (YY - at[1]) * np.sin(a), (at[0] - XX) * np.sin(a) + (YY - at[1]) * np.cos(a)
                m = 1 / (1 + np.exp(np.clip(4 * (np.hypot(u / r.uniform(2, 12), v / r.uniform(1, 5)) - 1), -30, 30)))
                image = image + m * r.uniform(.2, .9) * (r.uniform(180, 255) - image)
        if r.random() < .1:                                     # infrared lamp: flat, bright pupils
            image = (image - image.mean()) * r.uniform(.4, .9) + r.uniform(60, 190)
            for e in (RIGHT_EYE, LEFT_EYE):
                at = p[e].mean(0)
                image = image + r.uniform(0, 160) * np.exp(-((XX - at[0]) ** 2 + (YY - at[1]) ** 2) / (2 * (F * r.uniform(.01, .03)) ** 2))
        return image

    def paste(self, r, i, image, mask, texture):
        alpha = soft(mask, r.uniform(.3, 1.2)).astype(np.float32) / 255
        if r.random() < .6:                                     # the thing throws a shadow
            dx, dy = r.normal(0, 4, 2)
            m = np.array([[1, 0, dx], [0, 1, dy]])
            image = image * (1 - r.uniform(.05, .45) * cv2.warpAffine(soft(mask, r.uniform(2, 6)).astype(np.float32) / 255, m, (PATCH, PATCH)))
        return image * (1 - alpha) + np.clip(texture, 0, 255) * alpha

    KINDS, SHARES = ("hand", "phone", "mug", "mask", "fringe", "arm", "blob", "edge"), (.34, .09, .13, .1, .13, .06, .09, .06)

    def sample(self, r, jitter=1.0):
        i = int(r.choice(self.count, p=self.faces["chance"]))
        p, image = self.faces["points"][i], self.faces["patch"][i].astype(np.float32)
        covered = np.zeros((PATCH, PATCH), np.uint8)
        if early := r.random() < .5:
            image = self.likeness(r, i, image)
        if r.random() < .58:
            for _ in range(1 if r.random() < .88 else 2):
                mask, texture = getattr(self, r.choice(self.KINDS, p=self.SHARES))(r, i)
                image, covered = self.paste(r, i, image, mask, texture), np.maximum(covered, mask)
        elif r.random() < .35:                                  # something beside or behind the face
            mask, texture = getattr(self, r.choice(("hand", "phone", "arm", "blob", "fringe")))(r, i)
            mask = cv2.bitwise_and(mask, 255 - polygon(p[OVAL], r.uniform(1.02, 1.25)))
            image, covered = self.paste(r, i, image, mask, texture), np.maximum(covered, mask)
        if not early:
            image = self.likeness(r, i, image)
        truth, weight, share = labels(p, self.faces["yaw"][i], self.faces["glasses"][i], covered)
        x, mirrored = camera(image, r, jitter)
        if mirrored:
            truth, weight = truth[[1, 0, 2, 3]], weight[[1, 0, 2, 3]]
        return x, truth, weight, share


def labels(points, yaw, glasses, covered):
    """Right eye, left eye, mouth, face: 1 or 0, and the weight of each; and the share of the face that is covered."""
    def share(area):
        return float((covered.astype(np.uint32) * area).sum()) / max(float(area.astype(np.uint32).sum()) * 255, 1)
    eyes = [share(polygon(points[e], 1.25)) for e in (RIGHT_EYE, LEFT_EYE)]
    mouth, face = share(polygon(points[LIPS], 1.05)), share(polygon(points[BELOW_BROWS], .97))
    parts = np.array([*eyes, mouth])
    truth = np.r_[parts >= COVERED, False]
    weight = np.r_[(parts >= COVERED) | (parts <= CLEAR), True].astype(np.float32)
    truth[3] = truth[:3].any() or face >= FACE_COVERED
    weight[3] = truth[3] or (parts.max() <= CLEAR and face <= FACE_CLEAR)
    # The nose hides the far eye, dark lenses hide both: that is no covering, and other readers tell it.
    if yaw < -FAR_YAW or yaw > NEAR_YAW:
        weight[0] = 0
    if yaw > FAR_YAW or yaw < -NEAR_YAW:
        weight[1] = 0
    if glasses == "sunglasses":
        weight[:2] = 0
    return truth.astype(np.float32), weight, face


def camera(image, r, jitter):
    """Misplaced crop (the mesh is misled by what covers the face), few pixels, blur, light, noise, compression, mirror."""
    if r.random() < .3:
        jitter = jitter * .35
    side = F * CROP_FACES * np.exp(r.normal(0, .1) * jitter)
    a, (dx, dy) = r.normal(0, np.radians(6)) * jitter, r.normal(0, .055, 2) * jitter * F
    k, c, s, n = side / (2 * CROP), np.cos(a), np.sin(a), 2 * CROP
    h = (n - 1) / 2
    at = ((PATCH - 1) / 2 + dx, (PATCH - 1) / 2 + dy)
    m = np.array([[k * c, -k * s, at[0] - k * h * (c - s)], [k * s, k * c, at[1] - k * h * (s + c)]])
    x = cv2.warpAffine(image, m, (n, n), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE)
    x = cv2.resize(x, (CROP, CROP), interpolation=cv2.INTER_AREA)
    if r.random() < .35:
        f = r.uniform(.35, .95)
        x = cv2.resize(cv2.resize(x, (int(CROP * f),) * 2, interpolation=cv2.INTER_AREA), (CROP, CROP), interpolation=cv2.INTER_LINEAR)
    if r.random() < .2:
        x = cv2.GaussianBlur(x, (0, 0), r.uniform(.4, 1.8))
    if r.random() < .08:
        k = np.zeros((7, 7), np.float32)
        k[3, 1:6] = .2
        x = cv2.filter2D(x, -1, k if r.random() < .6 else k.T)
    if r.random() < .5:
        x = 255 * (np.clip(x, 0, 255) / 255) ** np.exp(r.uniform(np.log(.4), np.log(2.5)))
    if r.random() < .4:
        x = (x - 128) * r.uniform(.4, 1.5) + 128 + r.uniform(-60, 60)
    if night := r.random() < .08:
        x = x * r.uniform(.12, .5)
    if night or r.random() < .3:
        x = x + r.normal(0, r.uniform(.5, 5), x.shape)
    x = np.clip(x, 0, 255)
    if r.random() < .35:
        x = cv2.imdecode(cv2.imencode(".jpg", x.astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, int(r.integers(12, 85))])[1], cv2.IMREAD_GRAYSCALE)
    mirrored = r.random() < .5
    return np.clip(np.round(x[:, ::-1] if mirrored else x), 0, 255).astype(np.uint8), mirrored


def prepare(faces, split, seed=0):
    """The faces of a split, with the light of their skin and the chance to be drawn: sets as the square root of their size."""
    pick = faces["split"] == split
    chosen = {k: v[pick] for k, v in faces.items()}
    p = chosen["points"]
    chosen["points"] = p = p[:, :, :2]                          # depth has served
    chosen["level"] = np.array([np.median(i[int(np.clip(q[1, 1], 5, 155)) - 5:int(np.clip(q[1, 1], 5, 155)) + 5]) for i, q in zip(chosen["patch"], p)])
    sets, place, counts = np.unique(chosen["set"], return_inverse=True, return_counts=True)
    chance = 1 / np.sqrt(counts[place])
    chance = chance * np.where(np.abs(chosen["yaw"]) > 20, 2, 1) * np.where(chosen["set"] == "incabin", 1.5, 1)
    chosen["chance"] = chance / chance.sum()
    return chosen


def photographs(data):
    """Grey photographs whose pieces serve as texture."""
    return [cv2.imread(str(f), cv2.IMREAD_GRAYSCALE) for f in sorted((data / "coco_person/dev").glob("*.jpg"))]
