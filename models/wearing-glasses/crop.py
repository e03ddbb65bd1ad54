"""The one crop around both eyes that the glasses reader sees, as `firmware/perception/src/glasses.rs` cuts it.

Points are in frame pixels, x = 0 is the middle of the first pixel.  Right and left are the subject's.
The crop is 2.4 eye distances wide and half as high: about 151 mm by 76 mm on a face whose eyes lie 63 mm apart, so that a
frame's outer ends and lower rims lie inside.  Its middle lies 0.08 eye distances below the middle of the eyes; it is turned
with the line through them.  The distance is taken in three dimensions: it does not shrink when the head turns."""
import cv2
import numpy as np

WIDTH, HEIGHT = 96, 48             # pixels
SPAN = 2.4                         # width of the crop in eye distances
DOWN = 0.08                        # middle of the crop below the middle of the eyes, eye distances
MAX_SAMPLES = 4                    # at most 4 x 4 bilinear samples a crop pixel
LEAST_DEVIATION = 0.02             # of full light: noise on a flat crop must not be blown up
MAX_COSINE_YAW = 50.0              # degrees: beyond it the depth of the mesh is guesswork

EYES = ((33, 133, (160, 158, 144, 153)), (263, 362, (387, 385, 373, 380)))      # outer, inner, lids: right, left


def centre(points, eye):
    """Half the middle of the corners, half the mean of corners and two points of each lid, as firmware/perception/src/eyes.rs."""
    outer, inner, lids = EYES[eye]
    p = points[..., :2]
    corners = p[outer], p[inner]
    return (corners[0] + corners[1]) / 4 + sum([*corners, *(p[k] for k in lids)]) / 12


def yaw(points):
    """Degrees; positive: the subject's left eye is the far one."""
    d = points[263] - points[33]
    return float(np.degrees(np.arctan2(d[2], np.hypot(d[0], d[1]))))


def place(points):
    """478 points -> x, y of the crop's middle, eye distance, angle, yaw (degrees)."""
    right, left = centre(points, 0).astype(float), centre(points, 1).astype(float)
    across, turn = left - right, yaw(points)
    angle = float(np.arctan2(across[1], across[0]))
    distance = float(np.hypot(*across)) / np.cos(np.radians(min(abs(turn), MAX_COSINE_YAW)))
    x, y = (right + left) / 2 + DOWN * distance * np.array([-np.sin(angle), np.cos(angle)])
    return float(x), float(y), distance, angle, turn


def cut(grey, x, y, width, angle, w=WIDTH, h=HEIGHT):
    """Rotated rectangle `width` px wide -> [h, w] float32 0..255; edge pixels go on beyond the frame.
    A crop pixel is the mean of m x m bilinear samples, m = the nearest whole number of frame pixels a crop pixel, 1 to 4."""
    k = width / w
    m = int(min(MAX_SAMPLES, max(1, int(k + .5))))
    q, W, H = k / m, w * m, h * m
    c, s = np.cos(angle), np.sin(angle)
    ox, oy = x + q * (c * (.5 - W / 2) - s * (.5 - H / 2)), y + q * (s * (.5 - W / 2) + c * (.5 - H / 2))
    M = np.array([[c * q, -s * q, ox], [s * q, c * q, oy]])
    out = cv2.warpAffine(grey, M, (W, H), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE)
    out = out.astype(np.float32)
    return out.reshape(h, m, w, m).mean((1, 3)) if m > 1 else out


def crop(grey, where):
    """The crop of a face at `where` (see `place`)."""
    x, y, distance, angle, _ = where
    return cut(grey, x, y, SPAN * distance, angle)


def normalise(crops):
    """[n, h, w] 0..255 -> input of the network: mean 0, deviation 1."""
    c = crops / 255.0
    mean, deviation = c.mean((-2, -1), keepdims=True), c.std((-2, -1), keepdims=True)
    return ((c - mean) / np.maximum(deviation, LEAST_DEVIATION))[..., None].astype(np.float32)


def measures(x):
    """light, contrast, detail of crops 0..255: how far a picture is from what the network was fitted on."""
    c = x / 255.0
    deviation = c.std((-2, -1))
    return c.mean((-2, -1)), deviation, np.abs(np.diff(c, axis=-1)).mean((-2, -1)) / np.maximum(deviation, LEAST_DEVIATION)
