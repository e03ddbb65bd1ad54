"""What Python's reader reads of the CSV tables."""
import csv
import json
import pathlib
import sys

said = {}
for path in pathlib.Path(sys.argv[1]).glob("*.csv"):
    with open(path, newline="", encoding="utf-8") as file:
        said[path.stem] = list(csv.DictReader(file))
json.dump(said, sys.stdout)
