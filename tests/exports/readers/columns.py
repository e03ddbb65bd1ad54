"""What pyarrow reads of the Parquet tables: types and rows. Moments are told in microseconds since 1970."""
import datetime
import json
import pathlib
import sys

import pyarrow.parquet

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def plain(cell):
    if isinstance(cell, datetime.datetime):
        return (cell - EPOCH) // datetime.timedelta(microseconds=1)
    return cell


said = {"types": {}, "tables": {}}
for path in pathlib.Path(sys.argv[1]).glob("*.parquet"):
    table = pyarrow.parquet.read_table(path)
    said["types"][path.stem] = {field.name: str(field.type) for field in table.schema}
    said["tables"][path.stem] = [
        {name: plain(cell) for name, cell in row.items()} for row in table.to_pylist()
    ]
json.dump(said, sys.stdout)
