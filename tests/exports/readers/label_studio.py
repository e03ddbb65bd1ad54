"""What label-studio-sdk makes of an export: it checks every task, prediction and annotation against the interface."""
import json
import pathlib
import sys

from label_studio_sdk.label_interface import LabelInterface

folder = pathlib.Path(sys.argv[1])
interface = LabelInterface((folder / "config.xml").read_text(encoding="utf-8"))
said = {}
for path in sorted(folder.glob("tasks_*.json")):
    for task in json.loads(path.read_bytes()):
        regions = []
        for prediction in task.get("predictions", []):
            errors = interface.validate_prediction(prediction, return_errors=True)
            assert errors == [], errors
        for annotation in task.get("annotations", []):
            assert interface.validate_annotation(annotation), annotation
        for kind in ("annotations", "predictions"):
            for holder in task.get(kind, []):
                for region in holder["result"]:
                    value = region["value"]
                    one = {"of": kind, "id": region["id"], "meta": region["meta"]["text"]}
                    if region["type"] == "timelinelabels":
                        (frames,) = value["ranges"]
                        one |= {"label": value["timelinelabels"][0], "start": frames["start"], "end": frames["end"]}
                    else:
                        assert value["sequence"][-1]["enabled"] is False, "a track that never ends"
                        one |= {"label": value["labels"][0], "keys": [
                            [k["frame"], k["x"], k["y"], k["width"], k["height"]] for k in value["sequence"]]}
                        one |= {"count": value["framesCount"]}
                    regions.append(one)
        said[task["data"]["clip"]] = {"regions": regions, "fps": task["data"]["fps"], "video": task["data"]["video"]}
json.dump(said, sys.stdout)
