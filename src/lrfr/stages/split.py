"""split: identity-disjoint train and test halves of the native faces, and the auxiliary set's validation images."""

from collections import Counter

import numpy as np
import pyarrow as pa

from lrfr import paths
from lrfr.config import read_params
from lrfr.core import partition
from lrfr.curation import Split
from lrfr.faces import fixed_width, numbered, read_faces
from lrfr.images import write_selected


def run() -> None:
    """Writes the benchmark and the auxiliary set with their split, both in the order of face_id.

    A published partition stays as it is; faces without a place in one are assigned.

    Raises:
        BenchmarkError: one side is empty, or somebody who is tested is also in train or in the auxiliary set.
    """
    params = read_params()
    native = read_faces(paths.CURATED_NATIVE).sort_by("face_id")
    auxiliary = read_faces(paths.CURATED_AUXILIARY).sort_by("face_id")
    split = _with_assigned(native, params.read("split", Split).train_fraction, params.seed)
    auxiliary_names, auxiliary_person = numbered(auxiliary["identity"])
    names, person = numbered(native["identity"])
    partition.check(person, names, split, auxiliary_names)
    write_selected(_with_split(native, split), paths.CURATED_NATIVE, paths.BENCHMARK)
    held_out = partition.hold_out(fixed_width(auxiliary["face_id"]), auxiliary_person, params.seed)
    write_selected(_with_split(auxiliary, held_out), paths.CURATED_AUXILIARY, paths.AUXILIARY)
    for what, parts in (("benchmark", split), ("auxiliary", held_out)):
        print(f"{what}: {', '.join(f'{part} {count}' for part, count in sorted(Counter(parts).items()))}")


def _with_assigned(faces: pa.Table, train_fraction: float, seed: int) -> np.ndarray:
    """The published place of each face (N,), or an assigned one where there is none."""
    is_open = faces["split"].is_null()
    open_faces = faces.filter(is_open)
    names, person = numbered(open_faces["identity"])
    split = faces["split"].to_numpy().copy()
    split[is_open.to_numpy()] = partition.assign(
        fixed_width(open_faces["face_id"]), person, names, train_fraction, seed
    )
    return split


def _with_split(faces: pa.Table, split: np.ndarray) -> pa.Table:
    return faces.set_column(faces.schema.get_field_index("split"), "split", pa.array(split, pa.string()))
