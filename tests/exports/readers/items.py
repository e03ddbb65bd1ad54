"""What datumaro reads of an export in its own format."""
import json
import sys

from datumaro import Dataset

said = {}
dataset = Dataset.import_from(sys.argv[1], "datumaro")
names = [label.name for label in dataset.categories()[next(iter(dataset.categories()))].items]
for item in dataset:
    objects = []
    for one in item.annotations:
        at = list(one.get_bbox()) if one.type.name == "bbox" else list(one.points)
        seen = [] if one.type.name == "bbox" else [v.value for v in one.visibility]
        objects.append([names[one.label], one.attributes.get("track_id"), at, seen])
    said[item.id] = objects
json.dump(said, sys.stdout)
