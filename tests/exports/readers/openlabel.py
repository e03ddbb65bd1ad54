"""What an OpenLABEL export holds, after the schema and Kognic's reader took it."""
import json
import pathlib
import sys

import jsonschema
import kognic.openlabel.models as models
import kognic.openlabel.schemas as schemas

schema = json.loads(pathlib.Path(schemas.__path__[0], "openlabel-1-0-0.json").read_bytes())
said = {}
for path in sorted(pathlib.Path(sys.argv[1]).glob("*/*.json")):
    document = json.loads(path.read_bytes())
    jsonschema.validate(document, schema)
    read = models.OpenLabelAnnotation.model_validate(document).openlabel
    places = []
    for frame, content in (read.frames or {}).items():
        for track, held in (content.objects or {}).items():
            for box in held.object_data.bbox or []:
                places.append([int(frame), int(track), box.name, list(box.val)])
            for point in held.object_data.point2d or []:
                places.append([int(frame), int(track), point.name, list(point.val)])
    actions = []
    for action in (read.actions or {}).values():
        (frames,) = action.frame_intervals
        text = {one.name: one.val for one in action.action_data.text or []}
        actions.append([action.type, frames.frame_start, frames.frame_end, text])
    said[read.metadata.name] = {"places": places, "actions": actions, "uri": next(iter(read.streams.values())).uri}
json.dump(said, sys.stdout)
