"""split: identity-disjoint train and test halves of the native faces, the auxiliary set's validation images, and the
unrecognizable faces of nobody who is tested."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lrfr import paths
from lrfr.config import read_params
from lrfr.core import partition
from lrfr.curation import Split
from lrfr.faces import fixed_width, numbered, read_faces
from lrfr.images import write_selected

TESTED = ("probe", "gallery")


def run() -> None:
    """Writes the benchmark and the auxiliary set with their split, and unrecognizable faces, by the order of face_id.

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
    unrecognizable = _of_nobody_tested(read_faces(paths.CURATED_UNRECOGNIZABLE).sort_by("face_id"), native, split)
    write_selected(unrecognizable, paths.CURATED_UNRECOGNIZABLE, paths.UNRECOGNIZABLE)
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


def _of_nobody_tested(faces: pa.Table, native: pa.Table, split: np.ndarray) -> pa.Table:
    """The unrecognizable faces without those that show somebody who is tested: their models would have seen the person.

    Without an identity nobody knows; such faces stay.
    """
    tested = native["identity"].filter(pa.array(np.isin(split.astype(str), TESTED)))
    kept = faces.filter(pc.field("identity").is_null() | ~pc.field("identity").isin(tested.unique()))
    left_out = len(faces) - len(kept)
    print(f"unrecognizable: {len(kept)}" + (f", without {left_out} of people who are tested" if left_out else ""))
    return kept


def _with_split(faces: pa.Table, split: np.ndarray) -> pa.Table:
    return faces.set_column(faces.schema.get_field_index("split"), "split", pa.array(split, pa.string()))
