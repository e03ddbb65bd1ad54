"""What Ultralytics would read of a YOLO export, by the rules that it documents and that its check of data sets and label files (version 8.4.190)
applies: places from where the data set lies, names from 0 without a gap, columns all there and alike, whole numbers as classes, coordinates
within 0 to 1, no line twice. Ultralytics itself is not run: it needs torch."""
import json
import pathlib
import sys

import yaml

yaml_file = pathlib.Path(sys.argv[1]) / "data.yaml"
data = yaml.safe_load(yaml_file.read_text(encoding="utf-8"))
# `path`, where there is one, is taken from the folder that the training was started in.
folder = pathlib.Path(data["path"]) if data.get("path") else yaml_file.parent
points, dimensions = data.get("kpt_shape", [0, 0])
assert dimensions in (0, 2, 3) and len(data.get("flip_idx", range(points))) == points
assert sorted(data["names"]) == list(range(len(data["names"]))), "names are numbered from 0 without a gap"
FORMATS = {"bmp", "jpeg", "jpg", "png", "webp"}


def local(line, list_file):
    return line.replace("./", f"{list_file.parent}/", 1) if line.startswith("./") else line


def labels_of(picture):
    """The last folder `images` becomes `labels`, and the ending `.txt`."""
    head, tail = picture.rsplit("/images/", 1)
    return f"{head}/labels/{tail}".rsplit(".", 1)[0] + ".txt"


def check_picture(picture):
    """What is asked of a picture that is there: that it can be read, is 10 pixels or more on each side, and, of a JPEG, that it ends as one;
    Ultralytics would write it anew."""
    if not pathlib.Path(picture).exists():
        return
    from PIL import Image
    with Image.open(picture) as image:
        image.verify()
        assert min(image.size) >= 10 and image.format in ("JPEG", "PNG"), picture
        if image.format == "JPEG":
            assert pathlib.Path(picture).read_bytes().endswith(b"\xff\xd9"), picture


assert "train" in data and "val" in data, "both are required"
said = {}
for list_file in {folder / data[role] for role in ("train", "val", "test") if role in data}:
    for line in list_file.read_text(encoding="utf-8").strip().splitlines():
        picture = local(line, list_file)
        assert picture.rpartition(".")[-1].lower() in FORMATS, line
        check_picture(picture)
        objects = []
        for row in pathlib.Path(labels_of(picture)).read_text(encoding="utf-8").strip().splitlines():
            numbers = [float(number) for number in row.split()]
            assert len(numbers) == 5 + dimensions * points, row
            assert numbers[0] % 1 == 0 and numbers[0] in data["names"], row
            eyes = [numbers[5 + dimensions * n:5 + dimensions * (n + 1)] for n in range(points)]
            places = [place for eye in eyes for place in eye[:2]]
            # One in a hundred beyond is let pass there, and not here.
            assert min(numbers) >= 0 and max(numbers[1:5] + places) <= 1, row
            assert all(eye[2] in (0, 1, 2) for eye in eyes if dimensions == 3), row
            objects.append(numbers)
        assert len({tuple(one) for one in objects}) == len(objects), "a line twice"
        said[line] = objects
json.dump(said, sys.stdout)
