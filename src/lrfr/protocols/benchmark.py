"""A test set as protocols see it: its tables, without the images."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lrfr.core.inputs import UNKNOWN
from lrfr.errors import BenchmarkError
from lrfr.faces import ENROLMENT_SCHEMA, PAIR_SCHEMA


@dataclass(frozen=True)
class Benchmark:
    """The faces of a test set, and the pairs and templates that its publisher lists."""

    faces: pa.Table
    pairs: pa.Table = field(default_factory=PAIR_SCHEMA.empty_table)
    enrolment: pa.Table = field(default_factory=ENROLMENT_SCHEMA.empty_table)

    @cached_property
    def identity(self) -> np.ndarray:
        """(N,) int64: each face's identity as a number, in the order of the names; ``UNKNOWN`` where it has none."""
        return places(self.faces["identity"], names(self.faces["identity"]))

    def called(self, number: int) -> str:
        """The name of an identity, for errors."""
        return names(self.faces["identity"])[number].as_py()

    def take(self, rows: np.ndarray) -> "Benchmark":
        """Some of the faces (R,), without pairs and templates."""
        return Benchmark(self.faces.take(rows))

    def attribute(self, name: str) -> pa.ChunkedArray:
        """(N,) string: an attribute of every face, null where a face does not have it."""
        return pc.map_lookup(self.faces["attributes"], pa.scalar(name), "first")

    def rows(self, attribute: str, value: str) -> np.ndarray:
        """The rows of the faces whose attribute has this value.

        Raises:
            BenchmarkError: there is none.
        """
        found = np.flatnonzero(pc.equal(self.attribute(attribute), value).fill_null(False).to_numpy())
        if not len(found):
            raise BenchmarkError(f"no face of the test set has the {attribute} '{value}'", remedy="lrfr import-testset")
        return found

    def splits(self, *wanted: str) -> np.ndarray:
        """The rows of the faces on these sides of the split."""
        return np.flatnonzero(pc.is_in(self.faces["split"], pa.array(wanted)).to_numpy())

    def pair_rows(self, ids: pa.Array | pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The published pairs as places in ``ids``: left (M,), right (M,), and whether they are the same (M,) bool.

        Raises:
            BenchmarkError: there are no pairs, or a pair names what is not among the ids.
        """
        if not self.pairs.num_rows:
            raise BenchmarkError("the test set has no list of pairs", remedy="lrfr import-testset")
        sides = [places(self.pairs[side], ids) for side in ("left", "right")]
        for side, found in zip(("left", "right"), sides, strict=True):
            if (found == UNKNOWN).any():
                strange = self.pairs[side][int(np.argmax(found == UNKNOWN))]
                raise BenchmarkError(
                    f"a pair names '{strange}', which the test set does not have", remedy="lrfr import-testset"
                )
        return sides[0], sides[1], self.pairs["same"].to_numpy()

    def drawn_by(self, rows: np.ndarray) -> np.ndarray | None:
        """The identities of the faces in ``rows`` if all are known, for a bootstrap over them; else None."""
        identity = self.identity[rows]
        return None if (identity == UNKNOWN).any() else identity


def names(column: pa.ChunkedArray) -> pa.Array:
    """The different names in a column, sorted."""
    different = pc.unique(column).drop_null()
    return different.take(pc.sort_indices(different))


def places(column: pa.ChunkedArray, among: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """Where each value of a column stands among others: (N,) int64, ``UNKNOWN`` where it does not or is null."""
    among = among.combine_chunks() if isinstance(among, pa.ChunkedArray) else among
    return pc.index_in(column, among, skip_nulls=True).fill_null(UNKNOWN).to_numpy().astype(np.int64)
