"""Photos in which faces are still to be detected: from files to rows of the photo table."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from lrfr.errors import ImageError
from lrfr.faces import PHOTO_SCHEMA, decode
from lrfr.parallel import cores
from lrfr.progress import track

BATCH = 256  # photos that wait as Python objects before they are packed


def photo_table(files: Mapping[str, Path], source: str, collection: str) -> pa.Table:
    """Packs photos, with progress. One that cannot be read goes through as 0 x 0 px, for detect to list it.

    Args:
        files: each photo's file, by photo_id.
        source: goes into every row.
        collection: native, auxiliary or unrecognizable.
    """
    packed = [PHOTO_SCHEMA.empty_table()]
    remaining = iter(track(files.items(), "reading photos", len(files), "photo"))
    with ThreadPoolExecutor(cores()) as pool:
        while batch := list(islice(remaining, BATCH)):
            rows = list(pool.map(partial(_row, source=source, collection=collection), batch))
            packed.append(pa.Table.from_pylist(rows, PHOTO_SCHEMA))
    return pa.concat_tables(packed)


def _row(photo: tuple[str, Path], source: str, collection: str) -> dict[str, Any]:
    photo_id, path = photo
    try:
        image = path.read_bytes()
    except OSError:
        image = b""
    try:
        height, width = decode(image, photo_id).shape[:2]
    except ImageError:
        height, width = 0, 0
    row = {"photo_id": photo_id, "source": source, "collection": collection, "image": image}
    return row | {"width": width, "height": height}
