"""split: identity-disjoint train and test halves of the native faces, and the auxiliary set's validation images."""

from collections import Counter

import pyarrow as pa

from lrfr import paths
from lrfr.config import read_params
from lrfr.core import partition
from lrfr.faces import read_faces, write_faces


def run() -> None:
    """Writes the benchmark and the auxiliary set with their split, both in the order of face_id.

    Raises:
        BenchmarkError: one side is empty, or somebody who is tested is also in train or in the auxiliary set.
    """
    params = read_params()
    native = read_faces(paths.CURATED_NATIVE).sort_by("face_id")
    auxiliary = read_faces(paths.CURATED_AUXILIARY).sort_by("face_id")
    identities, names = native["identity"].to_pylist(), auxiliary["identity"].to_pylist()
    split = partition.assign(native["face_id"].to_pylist(), identities, params.split.train_fraction, params.seed)
    partition.check(identities, split, names)
    write_faces(_with_split(native, split), paths.BENCHMARK)
    held_out = partition.hold_out(auxiliary["face_id"].to_pylist(), names, params.seed)
    write_faces(_with_split(auxiliary, held_out), paths.AUXILIARY)
    for what, parts in (("benchmark", split), ("auxiliary", held_out)):
        print(f"{what}: {', '.join(f'{part} {count}' for part, count in sorted(Counter(parts).items()))}")


def _with_split(faces: pa.Table, split: list[str]) -> pa.Table:
    return faces.set_column(faces.schema.get_field_index("split"), "split", pa.array(split, pa.string()))
