#!/usr/bin/env python3
"""What the network says of two drawn faces, for tests/labelling/glasses.rs, which draws the same and must read the same.

  python parity.py [glasses_reader.tflite]"""
import sys
from pathlib import Path
import numpy as np
import crop

WIDTH, HEIGHT, EYES = 320, 240, ((130, 110), (190, 110))


def face(glasses):
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    picture = np.where(((x - 160) * 100) ** 2 + ((y - 130) * 75) ** 2 <= 7500 ** 2, 165, 60)
    picture[(abs(x - 160) <= 6) & (y >= 135) & (y <= 140)] = 120
    picture[(abs(x - 160) <= 24) & (y >= 170) & (y <= 174)] = 100
    for ex, ey in EYES:
        picture[((x - ex) * 6) ** 2 + ((y - ey) * 13) ** 2 <= 78 ** 2] = 215
        picture[(x - ex) ** 2 + (y - ey) ** 2 <= 25] = 40
        picture[(abs(x - ex) <= 17) & (y >= 88) & (y <= 92)] = 70
        far = (x - ex) ** 2 + (y - ey - 3) ** 2
        if glasses:
            picture[(far >= 22 ** 2) & (far <= 25 ** 2)] = 30
    if glasses:
        picture[(abs(x - 160) <= 6) & (y >= 107) & (y <= 109)] = 30
        picture[(abs(x - 160) >= 54) & (abs(x - 160) <= 70) & (y >= 107) & (y <= 109)] = 30
    return picture.astype(np.uint8)


def main():
    from ai_edge_litert.interpreter import Interpreter
    path = sys.argv[1] if len(sys.argv) > 1 else str(Path(__file__).resolve().parent / "glasses_reader.tflite")
    it = Interpreter(path, num_threads=1); it.allocate_tensors()
    for glasses in (False, True):
        distance = float(EYES[1][0] - EYES[0][0])
        x = crop.crop(face(glasses), (160.0, 110.0 + crop.DOWN * distance, distance, 0.0, 0.0))
        it.set_tensor(it.get_input_details()[0]["index"], crop.normalise(x[None])); it.invoke()
        classes = it.get_tensor(it.get_output_details()[0]["index"])[0]
        print("with" if glasses else "without", "none, glasses, sunglasses", classes.round(4), "light, contrast, detail", [round(float(v), 4) for v in crop.measures(x)])


if __name__ == "__main__":
    main()
