"""Eye geometry and eye crops, shared by training and by the streaming reference .

Frame pixels: x = 0 is the middle of the first pixel.  Eye 0 = the SUBJECT's right (image-left), eye 1 = left."""
import numpy as np, cv2

CW, CH = 48, 32              # crop size, pixels
SPAN = 2.2                   # crop width = SPAN * mean 3-D corner distance of the two eyes
MAXSUB = 4                   # at most 4x4 bilinear samples a crop pixel
STD_FLOOR = 0.02
EYES = ((33, 133, (161, 160, 159, 158, 157), (163, 144, 145, 153, 154)),
        (263, 362, (388, 387, 386, 385, 384), (390, 373, 374, 380, 381)))

def geometry(p):
    """478 points -> angle, scale (mean 3-D corner distance), yaw degrees, per eye [cx, cy, d2, openness]"""
    a = float(np.arctan2(p[263, 1] - p[33, 1], p[263, 0] - p[33, 0]))
    yaw = float(np.degrees(np.arctan2(p[263, 2] - p[33, 2], np.hypot(p[263, 0] - p[33, 0], p[263, 1] - p[33, 1]))))
    g, d3s = [], []
    for out, inn, up, lo in EYES:
        o, i = p[out].astype(np.float64), p[inn].astype(np.float64)
        d2 = max(1e-6, float(np.hypot(*(i - o)[:2]))); d3 = max(1e-6, float(np.linalg.norm(i - o)))
        e = (i - o)[:2] / d2; n = np.array([-e[1], e[0]]); s = 1.0 if e[0] > 0 else -1.0
        gap = s * float(((p[list(lo), :2] - p[list(up), :2]) @ n).mean())
        c = (o + i)[:2] / 2
        g.append([c[0], c[1], d2, gap / d3]); d3s.append(d3)
    return a, float(np.mean(d3s)), yaw, np.array(g), np.array(d3s)

def usable(yaw):
    """[right, left]"""
    return (-40 <= yaw <= 55, -55 <= yaw <= 40)

def crop(grey, cx, cy, width, angle, left, w=CW, h=CH):
    """rotated rectangle, width px wide, centred on (cx, cy) -> [h,w] float32 0..255; left eye mirrored.  Edge pixels repeated beyond the frame.
    A crop pixel is the mean of m x m bilinear samples, m = clamp(ceil(pixels a crop pixel), 1, MAXSUB)."""
    k = width / w
    m = int(min(MAXSUB, max(1, np.ceil(k - 1e-6))))
    q, W, H = k / m, w * m, h * m
    ca, sa = np.cos(angle), np.sin(angle)
    ex = np.array([ca, sa]) * (-1 if left else 1); ey = np.array([-sa, ca])
    o = np.array([cx, cy]) + ex * (.5 - W / 2) * q + ey * (.5 - H / 2) * q
    M = np.array([[ex[0] * q, ey[0] * q, o[0]], [ex[1] * q, ey[1] * q, o[1]]])
    # cut to the neighbourhood first so that the cost does not depend on the frame's size
    c = cv2.warpAffine(grey, M, (W, H), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    if m > 1: c = c.reshape(h, m, w, m).mean((1, 3))
    return c

def normalise(c):
    """float crop 0..255 -> net input"""
    y = c / 255.0
    return (y - y.mean()) / max(float(y.std()), STD_FLOOR)
