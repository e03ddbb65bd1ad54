"""What Ultralytics would read of a YOLO export, by the rules of its documentation and of its check of label files:
columns all there, classes named, coordinates within 0 to 1, no line twice. Ultralytics itself is not run: it needs torch."""
import json
import pathlib
import sys

import yaml

folder = pathlib.Path(sys.argv[1])
data = yaml.safe_load((folder / "data.yaml").read_text(encoding="utf-8"))
points = data.get("kpt_shape", [0, 0])[0]
assert list(data["names"]) == list(range(len(data["names"])))
said = {}
for line in sorted({line for role in ("train", "val") for line in (folder / data[role]).read_text().splitlines()}):
    # Where Ultralytics looks for a picture's labels.
    text = folder / (line.replace("/images/", "/labels/").rsplit(".", 1)[0] + ".txt")
    objects = []
    for row in text.read_text().splitlines():
        numbers = [float(number) for number in row.split()]
        assert len(numbers) == 5 + 3 * points, row
        assert numbers[0] in data["names"] and all(0 <= number <= 1 for number in numbers[1:5]), row
        eyes = [numbers[5 + 3 * n:8 + 3 * n] for n in range(points)]
        assert all(0 <= x <= 1 and 0 <= y <= 1 and v in (0, 1, 2) for x, y, v in eyes), row
        objects.append(numbers)
    assert len({tuple(one) for one in objects}) == len(objects), "a line twice"
    said[line] = objects
json.dump(said, sys.stdout)
