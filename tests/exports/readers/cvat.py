"""What a CVAT file holds, by two readers: CVAT's importer, whose steps are followed here one by one, and datumaro.

The steps are those of `load_anno` in cvat/apps/dataset_manager/formats/cvat.py: labels and attributes must be in the task's
(labels.json), every shape names `frame`, `outside`, `occluded` and `keyframe`, only keyframes are kept, a track without one is an
error. Between keyframes CVAT interpolates evenly. CVAT itself is not run.
"""
import json
import pathlib
import sys
import xml.etree.ElementTree as ElementTree

from datumaro import Dataset

folder = pathlib.Path(sys.argv[1])
specs = {one["name"]: {a["name"] for a in one["attributes"]} for one in json.loads((folder / "labels.json").read_bytes())}
said = {}
for path in sorted(folder.glob("*/*.xml")):
    root = ElementTree.parse(path).getroot()
    size = int(root.find("meta/task/size").text)
    places = []
    tracks = []
    for track in root.iter("track"):
        label = track.attrib["label"]
        assert label in specs, label
        shapes = []
        for shape in track:
            frame, keyframe = int(shape.attrib["frame"]), shape.attrib["keyframe"]
            assert 0 <= frame < size, f"{path}: frame {frame} of {size}"
            outside = shape.attrib["outside"] == "1"
            _ = shape.attrib["occluded"], shape.attrib.get("z_order", 0)
            attributes = {a.attrib["name"]: a.text or "" for a in shape.iter("attribute")}
            assert set(attributes) <= specs[label], attributes
            if shape.tag == "box":
                at = [float(shape.attrib[name]) for name in ("xtl", "ytl", "xbr", "ybr")]
                at = [at[0], at[1], at[2] - at[0], at[3] - at[1]]
            else:
                at = [float(number) for number in shape.attrib["points"].split(",")]
            if keyframe == "1":
                shapes.append((frame, outside, at, attributes))
        assert shapes, "CVAT takes track.shapes[0]"
        assert [s[0] for s in shapes] == sorted({s[0] for s in shapes}), "one shape a frame, in order"
        for n, (frame, outside, at, attributes) in enumerate(shapes):
            if outside:
                continue
            following = shapes[n + 1] if n + 1 < len(shapes) else None
            end = following[0] if following else size
            for now in range(frame, end):
                share = (now - frame) / (end - frame) if following and not following[1] else 0
                to = following[2] if following else at
                place = [a + (b - a) * share for a, b in zip(at, to)]
                places.append([label, attributes["track"], now, place, attributes["standing"]])
        first = shapes[0]
        ends = [s[0] - 1 for s in shapes if s[1]]
        tracks.append({"label": label, "start": first[0], "end": ends[-1] if ends else size - 1, "attributes": first[3]})
    read = 0
    if any(track.tag == "track" for track in root):
        dataset = Dataset.import_from(str(path), "cvat")
        read = sum(len(item.annotations) for item in dataset)
    said[path.stem] = {"places": places, "tracks": tracks, "datumaro": read, "name": root.find("meta/task/name").text}
json.dump(said, sys.stdout)
