"""What pycocotools reads of a COCO export: for each file its pictures and annotations."""
import contextlib
import json
import pathlib
import sys

from pycocotools.coco import COCO

said = {}
for path in sorted(pathlib.Path(sys.argv[1], "annotations").glob("*.json")):
    with contextlib.redirect_stdout(sys.stderr):
        coco = COCO(str(path))
    annotations = []
    for one in coco.loadAnns(coco.getAnnIds()):
        image = coco.loadImgs(one["image_id"])[0]
        # What area and box say must agree, or scores are wrong.
        assert abs(one["area"] - one["bbox"][2] * one["bbox"][3]) < 0.01, one
        annotations.append({
            "clip": image["clip"],
            "frame": image["frame"],
            "track": one["attributes"]["track_id"],
            "category": coco.loadCats(one["category_id"])[0]["name"],
            "bbox": one["bbox"],
            "keypoints": one.get("keypoints", []),
        })
    images = [coco.imgs[number]["file_name"] for number in coco.getImgIds()]
    said[path.stem] = {"images": images, "annotations": annotations}
json.dump(said, sys.stdout)
