"""What pycocotools says of predictions in dt/set.json against gt/set.json."""
import contextlib
import json
import pathlib
import sys

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

folder = pathlib.Path(sys.argv[1])
with contextlib.redirect_stdout(sys.stderr):
    truth = COCO(str(folder / "gt/set.json"))
    told = truth.loadRes(json.loads((folder / "dt/set.json").read_text())["annotations"])
    figures = COCOeval(truth, told, "bbox")
    figures.evaluate()
    figures.accumulate()
# Overlap, recall, category, any size, at most 100 predictions.
precision = figures.eval["precision"][:, :, 0, 0, 2]
recall = figures.eval["recall"][:, 0, 0, 2]
json.dump({
    "ap": precision.mean(),
    "ap50": precision[0].mean(),
    "ap75": precision[5].mean(),
    "ap80": precision[6].mean(),
    "ar": recall.mean(),
}, sys.stdout)
