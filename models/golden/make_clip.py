#!/usr/bin/env python3
"""Makes clip.mjpeg, the golden clip: 66 baseline JPEGs of 640x480, one after the other, 25 a second.

  python make_clip.py scikit_image-0.25.2-….whl [--out clip.mjpeg]

The wheel's picture `astronaut.png` (NASA, public domain: see README.md) is panned, zoomed, rolled and lit, and its lids are
drawn shut three times. Nothing is random. README.md says how to write expected.json anew afterwards.
"""
import argparse, hashlib, io, zipfile
from pathlib import Path
import cv2
import numpy as np

PICTURE = "skimage/data/astronaut.png"
PICTURE_SHA256 = "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5"
FAR, FRAMES, WIDTH, HEIGHT = 6, 66, 640, 480   # the first FAR frames show her from afar: only the full-range face detector finds her there
QUALITY = 68
FINE = 4                                  # the lids are drawn on a copy of this size, so that their edges fall between pixels
# One row an eye, in pixels of the picture: both corners, the middle of the upper and of the lower lid's edge.
EYES = [((192.2, 100.4), (212.6, 102.6), (202.2, 95.9), (202.6, 104.6)),
        ((237.4, 103.8), (258.8, 103.8), (247.0, 97.6), (247.6, 107.2))]
SKIN = 6.0                                # this much skin above a lid's edge is drawn down with it; then comes the brow
LASHES = 1.5                              # so much of it keeps its shape: the lashes
# Frames in which a blink begins, is deepest, and is over; and how far the lids come down.
BLINKS = [(18, 21, 26, 1.0), (35, 37, 41, 1.0), (50, 53, 58, 0.96)]


def arc(left, right, middle, x):
    """Height of a parabola through three points, flat beyond its ends."""
    a, b, c = np.polyfit([left[0], middle[0], right[0]], [left[1], middle[1], right[1]], 2)
    x = np.clip(x, left[0], right[0])
    return a * x * x + b * x + c


def with_lids(picture, shut):
    """The picture enlarged FINE times, its lids drawn down by this share."""
    big = cv2.resize(picture, None, fx=FINE, fy=FINE, interpolation=cv2.INTER_CUBIC)
    if shut <= 0:
        return big
    rows, columns = np.mgrid[:big.shape[0], :big.shape[1]].astype(np.float32)
    x, y = (columns + 0.5) / FINE - 0.5, (rows + 0.5) / FINE - 0.5
    source = y.copy()
    for left, right, upper, lower in EYES:
        edge, floor = arc(left, right, upper, x), arc(left, right, lower, x)
        # A shut lid's edge lies on the lower lid.
        drawn = edge + shut * (floor + 0.4 - edge)
        top = edge - SKIN
        # Lashes keep their shape, skin between brow and lashes is stretched.
        skin = top + (y - top) * (edge - LASHES - top) / (drawn - LASHES - top)
        lid = np.where(y > drawn - LASHES, y - drawn + edge, skin)
        under = (y > top) & (y < drawn + 0.8) & (x > left[0] - 0.5) & (x < right[0] + 0.5)
        source = np.where(under, lid, source)
    source = cv2.GaussianBlur(source.astype(np.float32), (0, 0), 1.2)
    return cv2.remap(big, columns, (source + 0.5) * FINE - 0.5, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def shut_at(frame):
    """How far the lids are down: a cosine down, a slower one up."""
    for start, deepest, end, depth in BLINKS:
        if start < frame < end:
            share = (frame - start) / (deepest - start) if frame <= deepest else (end - frame) / (end - deepest)
            return depth * (1 - np.cos(np.pi * share)) / 2
    return 0.0


def frame(picture, index):
    """A frame: lids, then camera, then light."""
    t = max(index - FAR, 0) / (FRAMES - FAR - 1)
    zoom = 1.5 + 0.5 * t                                                  # pixels of the frame a pixel of the picture
    roll = np.radians(4 * np.sin(2 * np.pi * t))
    over = np.array([232 + 14 * np.cos(2 * np.pi * t), 158 - 14 * t])     # this point lies in the middle
    if index < FAR:
        zoom, over = 0.42, np.array([256 - 2 * index, 256])
    cos, sin = np.cos(roll) / zoom, np.sin(roll) / zoom
    turn = np.array([[cos, -sin], [sin, cos]])
    middle = np.array([(WIDTH - 1) / 2, (HEIGHT - 1) / 2])
    shift = (over + 0.5) * FINE - 0.5 - FINE * turn @ middle
    matrix = np.column_stack([FINE * turn, shift])
    # Shrinking the fine copy: soften it first, or edges would flicker.
    fine = cv2.GaussianBlur(with_lids(picture, shut_at(index)), (0, 0), 0.5 * FINE / zoom)
    seen = cv2.warpAffine(fine, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                          borderMode=cv2.BORDER_CONSTANT if index < FAR else cv2.BORDER_REFLECT_101, borderValue=(96, 96, 96))
    light = 1.0 - 0.35 * (0.5 - 0.5 * np.cos(2 * np.pi * t))
    return np.clip(seen.astype(np.float32) * light + 0.5, 0, 255).astype(np.uint8)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("wheel", type=Path)
    p.add_argument("--out", type=Path, default=Path(__file__).resolve().parent / "clip.mjpeg")
    a = p.parse_args()
    png = zipfile.ZipFile(a.wheel).read(PICTURE)
    if hashlib.sha256(png).hexdigest() != PICTURE_SHA256:
        p.error(f"{a.wheel}: {PICTURE} is another picture")
    picture = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    clip = io.BytesIO()
    for index in range(FRAMES):
        ok, jpeg = cv2.imencode(".jpg", frame(picture, index), [cv2.IMWRITE_JPEG_QUALITY, QUALITY, cv2.IMWRITE_JPEG_OPTIMIZE, 1])
        assert ok
        clip.write(jpeg.tobytes())
    a.out.write_bytes(clip.getvalue())
    print(f"{a.out}: {FRAMES} frames, {len(clip.getvalue())} bytes, sha256 {hashlib.sha256(clip.getvalue()).hexdigest()}")


if __name__ == "__main__":
    main()
