"""Small face tables for tests."""

import numpy as np
import pyarrow as pa

from lrfr.faces import FACE_SCHEMA, encode_png, face_id


def face_row(rng, identity, split, side=24):
    image = rng.integers(0, 255, (side, side, 3), dtype=np.uint8)
    return {
        "face_id": face_id(image, "test"),
        "source": "test",
        "image": encode_png(image),
        "width": side,
        "height": side,
        "identity": identity,
        "split": split,
        "score": 1.0,
        "attributes": [],
    }


def face_table(people=4, images=6, splits=("train",), seed=0):
    rng = np.random.default_rng(seed)
    rows = [
        face_row(rng, f"person{person}", splits[image % len(splits)])
        for person in range(people)
        for image in range(images)
    ]
    return pa.Table.from_pylist(rows, schema=FACE_SCHEMA)
