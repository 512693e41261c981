"""MXNet's RecordIO, without MXNet: records in one file, found through an index, read from a memory map.

A record is one or several parts of magic word, flag and length, content, and padding to four bytes. Content that holds
the magic word itself was split there. It starts with MXNet's image header: the number of labels, a label and two ids.
"""

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from lrfr.errors import SourceError
from lrfr.sources.reading.text_tables import read_columns

MAGIC = struct.pack("<I", 0xCED7230A)
WHOLE, FIRST, MIDDLE, LAST = range(4)  # the flag of a part, in the upper three bits of its length
PART = struct.Struct("<4sI")
HEADER = struct.Struct("<IfQQ")
REMEDY = "copy or download train.rec and train.idx again; both must be of one release"


@dataclass(frozen=True)
class Record:
    """The labels (L,) float32, at least one, and the content of a record, encoded bytes."""

    labels: np.ndarray
    content: bytes


class RecordFile:
    """The records of a ``.rec`` file by their keys in its ``.idx`` file; only what is asked for is read.

    Raises:
        SourceError: a file is empty, the index is no list of keys and offsets, has one twice, or the records go on
            where it ends.
    """

    def __init__(self, records: Path, index: Path) -> None:
        self.path = records
        self._keys, self._offsets = _read_index(index)
        with records.open("rb") as file:
            try:
                self._memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            except ValueError as error:
                raise SourceError("a record file is empty", where=records, remedy=REMEDY) from error
        self._check_end()

    @property
    def keys(self) -> np.ndarray:
        """The keys (N,) int64, sorted."""
        return self._keys

    def read(self, key: int) -> Record:
        """One record.

        Raises:
            SourceError: the index does not have it, or it is truncated or broken; the record is named.
        """
        content = self._content(key)
        if len(content) < HEADER.size:
            raise self.fault(key, f"its {len(content)} bytes are too few for a header")
        count, label, _, _ = HEADER.unpack_from(content)
        end = HEADER.size + 4 * count
        if end > len(content):
            raise self.fault(key, f"its header announces {count} labels, more than its {len(content)} bytes can hold")
        labels = np.frombuffer(content, "<f4", count, HEADER.size) if count else np.array([label], np.float32)
        return Record(labels, content[end:])

    def fault(self, key: int, what: str) -> SourceError:
        """The error for a record that is not as it should be."""
        return SourceError(f"record {key} is broken: {what}", where=self.path, remedy=REMEDY)

    def _check_end(self) -> None:
        """Raises where the index ends before the file: the images behind it would be lost."""
        last = int(self._keys[np.argmax(self._offsets)])
        _, end = self._parts(last)
        if end < len(self._memory):
            what = f"the index ends with record {last}, {len(self._memory) - end} bytes before the records do"
            raise SourceError(what, where=self.path, remedy=REMEDY)

    def _content(self, key: int) -> bytes:
        """The bytes of a record, its parts joined by the magic word at which they were split."""
        parts, _ = self._parts(key)
        return MAGIC.join(parts)

    def _parts(self, key: int) -> tuple[list[bytes], int]:
        """The parts of a record, and where it ends, in bytes."""
        parts: list[bytes] = []
        position, flag = self._offset(key), FIRST
        while flag in (FIRST, MIDDLE):
            if not 0 <= position <= len(self._memory) - PART.size:
                raise self.fault(key, f"the file ends before byte {position + PART.size}")
            magic, word = PART.unpack_from(self._memory, position)
            flag, length = word >> 29, word & (1 << 29) - 1
            if magic != MAGIC:
                raise self.fault(key, f"no record starts at byte {position}")
            if flag not in ((MIDDLE, LAST) if parts else (WHOLE, FIRST)):
                raise self.fault(key, f"its part at byte {position} is out of order")
            start = position + PART.size
            if start + length > len(self._memory):
                raise self.fault(key, f"the file ends before byte {start + length}")
            parts.append(self._memory[start : start + length])
            position = start + length + -length % 4
        return parts, position

    def _offset(self, key: int) -> int:
        """Where a record starts, in bytes."""
        row = int(np.searchsorted(self._keys, key))
        if row == len(self._keys) or self._keys[row] != key:
            raise self.fault(key, "the index does not have it")
        return int(self._offsets[row])


def _read_index(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The keys (N,), sorted, and the offsets (N,) of the records, both int64, from lines of ``key<TAB>offset``."""
    table = read_columns(path, {"key": pa.int64(), "offset": pa.int64()}, delimiter="\t")
    keys, offsets = table["key"].to_numpy(), table["offset"].to_numpy()
    for what, numbers in (("key", keys), ("offset", offsets)):
        ordered = np.sort(numbers)
        twice = ordered[1:][ordered[1:] == ordered[:-1]]
        if len(twice):
            raise SourceError(f"the {what} {twice[0]} stands twice in the index", where=path, remedy=REMEDY)
    order = np.argsort(keys, kind="stable")
    return keys[order], offsets[order]
