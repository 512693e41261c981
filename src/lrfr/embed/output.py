"""The file that embeddings end in, as `lrfr score` reads it; written part by part, however many rows there are."""

import zipfile
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import ArrayLike

from lrfr.embed.parts import Part
from lrfr.files import atomic_path, write_csv

Write = Callable[[Path, pa.Table, Iterable[Part], int, str], None]

DAY_ONE = (1980, 1, 1, 0, 0, 0)  # as numpy.savez dates the members of an archive: equal arrays give equal bytes


def write_npz(path: Path, columns: pa.Table, parts: Iterable[Part], width: int, facts: str) -> None:
    """Writes ``name`` and the other columns (N,) as text, ``embedding`` (N, D) float32 and ``missing`` (N,) bool; and
    ``quality`` (N,) float32 where the parts have it.

    Args:
        path: the archive; it is the old one or the whole new one.
        columns: text (N,).
        parts: embeddings and reasons of the rows in order; gone through twice.
        width: D.
        facts: of the model, JSON, which ``facts`` () has.
    """
    rows = len(columns)
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name in columns.column_names:
            longest = max(pc.max(pc.utf8_length(columns[name])).as_py() or 0, 1)
            texts = (batch[name].to_pylist() for batch in columns.to_batches(max_chunksize=16384))
            _store(archive, name, np.dtype(f"<U{longest}"), (rows,), texts)
        _store(archive, "embedding", np.dtype("<f4"), (rows, width), (part.embedding for part in parts))
        _store(archive, "facts", np.dtype(f"<U{len(facts)}"), (), [np.array(facts)])
        _store(archive, "missing", np.dtype(bool), (rows,), (part.reason != "" for part in parts))
        if _has_quality(parts):
            _store(archive, "quality", np.dtype("<f4"), (rows,), (part.quality for part in parts))  # pyrefly: ignore


def write_parquet(path: Path, columns: pa.Table, parts: Iterable[Part], width: int, facts: str) -> None:
    """Writes the same as columns of a Parquet file, embeddings as lists, the facts as metadata of its schema."""
    named = [*columns.schema, ("embedding", pa.list_(pa.float32(), width)), ("missing", pa.bool_())]
    named += [("quality", pa.float32())] if _has_quality(parts) else []
    schema = pa.schema(named, {"facts": facts})
    with atomic_path(path) as temporary, pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
        start = 0
        for embedding, reason, quality in parts:
            some = columns.slice(start, len(reason)).combine_chunks()
            lists = pa.FixedSizeListArray.from_arrays(pa.array(embedding.ravel()), width)
            arrays = [*(some[name].combine_chunks() for name in columns.column_names), lists, pa.array(reason != "")]
            arrays += [] if quality is None else [pa.array(quality)]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            start += len(reason)


WRITERS: dict[str, Write] = {".npz": write_npz, ".parquet": write_parquet}
"""How a file is written, by its ending."""


def write_unreadable(path: Path, columns: pa.Table, parts: Iterable[Part]) -> int:
    """Writes the name of every picture that has no embedding, and why, as CSV; no file where all have one.

    Returns:
        How many there are.
    """
    lost: list[tuple[str, str]] = []
    start = 0
    for _, reason, _ in parts:
        rows = np.flatnonzero(reason != "")
        names = columns["name"].slice(start, len(reason)).take(pa.array(rows)).to_pylist()
        lost += zip(names, reason[rows].tolist(), strict=True)
        start += len(reason)
    if lost:
        write_csv(path, ("name", "reason"), lost)
    else:
        path.unlink(missing_ok=True)
    return len(lost)


def _has_quality(parts: Iterable[Part]) -> bool:
    return any(part.quality is not None for part in islice(parts, 1))


def _store(
    archive: zipfile.ZipFile, name: str, kind: np.dtype, shape: tuple[int, ...], blocks: Iterable[ArrayLike]
) -> None:
    """Writes an array block by block, as numpy.savez would write it whole."""
    described = {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": shape}
    with archive.open(zipfile.ZipInfo(f"{name}.npy", DAY_ONE), "w", force_zip64=True) as file:
        np.lib.format.write_array_header_1_0(file, described)  # pyrefly: ignore
        for block in blocks:
            file.write(np.ascontiguousarray(block, kind).tobytes())
