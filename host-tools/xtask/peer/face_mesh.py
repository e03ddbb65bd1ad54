"""The peer of `cargo xtask bench`: what one writes today with Python MediaPipe to find blinks in a clip.

    face_mesh.py CLIP --out FILE.csv --summary FILE.json

Face Mesh of the legacy solutions with refined landmarks, one face, tracking from frame to frame; OpenCV decodes; each
frame's eye aspect ratio (six lid points an eye, the usual ones) goes into FILE.csv. The summary says how many frames and
faces there were, and the processor time spent after everything was loaded.
"""

import argparse
import csv
import json
import math
import time

import cv2
import mediapipe

RIGHT = (33, 160, 158, 133, 153, 144)
LEFT = (362, 385, 387, 263, 373, 380)


def eye_aspect_ratio(landmarks, width, height, eye):
    p = [(landmarks[i].x * width, landmarks[i].y * height) for i in eye]
    return (math.dist(p[1], p[5]) + math.dist(p[2], p[4])) / (2 * math.dist(p[0], p[3]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("clip")
    parser.add_argument("--out", required=True)
    parser.add_argument("--summary", required=True)
    arguments = parser.parse_args()

    capture = cv2.VideoCapture(arguments.clip)
    if not capture.isOpened():
        raise SystemExit(f"{arguments.clip}: cannot be opened")
    mesh = mediapipe.solutions.face_mesh.FaceMesh(refine_landmarks=True, static_image_mode=False, max_num_faces=1)
    frames = faces = 0
    with open(arguments.out, "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("frame", "right", "left"))
        processor, wall = time.process_time(), time.perf_counter()
        while True:
            read, picture = capture.read()
            if not read:
                break
            found = mesh.process(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)).multi_face_landmarks
            if found:
                height, width = picture.shape[:2]
                points = found[0].landmark
                rows.writerow((frames, *(f"{eye_aspect_ratio(points, width, height, eye):.4f}" for eye in (RIGHT, LEFT))))
                faces += 1
            frames += 1
        processor, wall = time.process_time() - processor, time.perf_counter() - wall
    with open(arguments.summary, "w") as file:
        json.dump({"frames": frames, "faces": faces, "seconds": wall, "processor_seconds": processor}, file)


if __name__ == "__main__":
    main()
