"""What pympi reads of ELAN files: the tiers with their annotations."""
import json
import pathlib
import sys

from pympi.Elan import Eaf

said = {}
for path in sorted(pathlib.Path(sys.argv[1]).glob("*/*.eaf")):
    eaf = Eaf(str(path))
    said[path.stem] = {
        "tiers": {tier: eaf.get_annotation_data_for_tier(tier) for tier in eaf.get_tier_names()},
        "media": [media["MEDIA_URL"] for media in eaf.get_linked_files()],
    }
json.dump(said, sys.stdout)
