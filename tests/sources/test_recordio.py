import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrfr.errors import SourceError
from lrfr.sources.reading.mxnet_records import RecordFile
from lrfr.sources.recordio import Settings, acquire
from tests.sources.layouts import by_name, picture, reasons, write

MAGIC = struct.pack("<I", 0xCED7230A)
IMAGES = {0: 3, 1: 2, 2: 4}  # images of each identity


def packed(labels: float | list[float], content: bytes = b"") -> bytes:
    """MXNet's image header and content; several labels stand behind the header."""
    if isinstance(labels, list):
        return struct.pack("<IfQQ", len(labels), 0, 0, 0) + np.array(labels, "<f4").tobytes() + content
    return struct.pack("<IfQQ", 0, labels, 0, 0) + content


def record(content: bytes) -> bytes:
    """A record as dmlc-core writes it: split wherever the magic word stands on a multiple of four."""
    places = [place for place in range(0, len(content) // 4 * 4, 4) if content[place : place + 4] == MAGIC]
    starts, ends = [0, *(place + 4 for place in places)], [*places, len(content)]
    written = b""
    for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
        flag = 0 if not places else 1 if number == 0 else 3 if number == len(places) else 2
        piece = content[start:end]
        written += MAGIC + struct.pack("<I", flag << 29 | len(piece)) + piece + bytes(-len(piece) % 4)
    return written


def files(contents: dict[int, bytes], classes: int = len(IMAGES)) -> dict[str, bytes]:
    rec, index = b"", ""
    for key, content in contents.items():
        index += f"{key}\t{len(rec)}\n"
        rec += record(content)
    return {"train.rec": rec, "train.idx": index.encode(), "property": f"{classes},112,112\n".encode()}


def contents(labels=float) -> dict[int, bytes]:
    """Records as insightface packs them: their header, the images, then the identities' ranges of images."""
    images = [(identity, picture(10 * identity + n)) for identity, count in IMAGES.items() for n in range(count)]
    first = len(images) + 1
    records = {0: packed([first, first + len(IMAGES)])}
    records |= {key: packed(labels(identity), image) for key, (identity, image) in enumerate(images, 1)}
    ends = np.cumsum([1, *IMAGES.values()]).tolist()
    return records | {first + n: packed([ends[n], ends[n + 1]]) for n in range(len(IMAGES))}


@pytest.mark.parametrize("labels", [float, lambda identity: [float(identity), 0.5]])
def test_images_and_their_identities(tmp_path, labels):
    acquired = acquire(write(tmp_path, files(contents(labels))), Settings(), 1)
    faces = by_name(acquired.faces)
    assert list(faces) == [f"train.rec/{key}" for key in range(1, 10)]
    expected = [(str(identity), picture(10 * identity + n)) for identity, count in IMAGES.items() for n in range(count)]
    assert [(row["identity"], row["image"]) for row in faces.values()] == expected
    assert {row["attributes"]["collection"] for row in faces.values()} == {"auxiliary"}


def test_the_seed_draws_identities_and_images(tmp_path):
    root = write(tmp_path, files(contents()))
    faces = acquire(root, Settings(max_identities=2, max_images=2), 1).faces
    names = faces["identity"].to_pylist()
    assert len(set(names)) == 2 and len(names) == 4
    assert faces.equals(acquire(root, Settings(max_identities=2, max_images=2), 1).faces)


def test_rounded_ranges_do_not_matter(tmp_path, monkeypatch):
    """Above 2 ** 24, as in Glint360K, float32 can no longer say where a range ends: the images' own labels do."""
    monkeypatch.setattr("lrfr.sources.recordio.EXACT", 4)
    wrong = {10: packed([1, 3]), 11: packed([4, 6]), 12: packed([6, 10])}
    faces = acquire(write(tmp_path, files(contents() | wrong)), Settings(), 1).faces
    assert [faces["identity"].to_pylist().count(str(name)) for name in IMAGES] == list(IMAGES.values())


@pytest.mark.parametrize(
    "change",
    [
        {0: packed([2**24 + 8, 2**24 + 12])},  # the real numbers, rounded
        {11: packed([4, 5])},  # a range that is too short
        {11: packed([3, 6])},  # one that overlaps
        {13: packed(2.0, picture(99))},  # an image behind the identities' records
    ],
)
def test_where_the_ranges_do_not_cover_the_images_their_labels_count(tmp_path, change):
    acquired = acquire(write(tmp_path, files(contents() | change, classes=5)), Settings(), 1)
    counts = [acquired.faces["identity"].to_pylist().count(str(name)) for name in IMAGES]
    assert counts == [3, 2, 5 if 13 in change else 4]


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("labels", [float, lambda identity: [float(identity), 7.0]])
def test_a_pack_as_im2rec_writes_it_lacks_header_records(tmp_path, first, labels):
    images = {first + n: packed(labels(n // 2), picture(n)) for n in range(6)}
    with pytest.raises(SourceError, match=r"lacks insightface's header records[\s\S]*identity_folders"):
        acquire(write(tmp_path, files(images)), Settings(), 1)


def test_an_image_that_cannot_be_read_is_excluded(tmp_path):
    acquired = acquire(write(tmp_path, files(contents() | {2: packed(0.0, b""), 3: packed(0.0, b"x")})), Settings(), 1)
    assert reasons(acquired.excluded) == {"train.rec/2": "empty", "train.rec/3": "not_image"}
    assert acquired.faces.num_rows == 7


@given(st.lists(st.sampled_from([MAGIC, b"\x0a", b"\x23\xd7\xce", b"abcd", b""]), max_size=12).map(b"".join))
def test_a_record_that_holds_the_magic_word_is_joined_again(tmp_path_factory, content):
    root = write(tmp_path_factory.mktemp("rec"), files({5: packed(3.0, content), 6: packed([1, 2, 3], b"after")}))
    records = RecordFile(root / "train.rec", root / "train.idx")
    assert records.read(5).content == content and records.read(5).labels.tolist() == [3]
    assert records.read(6).content == b"after" and records.read(6).labels.tolist() == [1, 2, 3]


@pytest.mark.parametrize("name", ["train.rec", "train.idx", "property"])
def test_a_missing_file_is_named(tmp_path, name):
    whole = files(contents())
    del whole[name]
    with pytest.raises(SourceError, match=f"missing: {name}"):
        acquire(write(tmp_path, whole), Settings(), 1)


def broken(root: Path, change) -> Path:
    whole = files(contents())
    change(whole)
    return write(root, whole)


def cut_off(whole):
    whole["train.rec"] = whole["train.rec"][:-10]


def change_magic(whole):
    place = int(whole["train.idx"].split()[2 * 4 + 1])
    whole["train.rec"] = whole["train.rec"][:place] + b"xxxx" + whole["train.rec"][place + 4 :]


def forget_end(whole):
    lines = whole["train.idx"].splitlines(keepends=True)
    whole["train.idx"] = b"".join(lines[:-1])


def twice(whole, column):
    lines = [line.split() for line in whole["train.idx"].splitlines()]
    lines[5][column] = lines[4][column]
    whole["train.idx"] = b"\n".join(b"\t".join(line) for line in lines)


def forget_key(whole):
    whole["train.idx"] = b"\n".join(line for line in whole["train.idx"].splitlines() if not line.startswith(b"4\t"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (cut_off, r"record 12 is broken: the file ends before byte"),
        (change_magic, r"record 4 is broken: no record starts at byte"),
        (forget_key, r"record 4 is broken: the index does not have it"),
        (forget_end, r"the index ends with record 11, \d+ bytes before the records do"),
        (lambda whole: twice(whole, 0), r"the key 4 stands twice in the index"),
        (lambda whole: twice(whole, 1), r"the offset \d+ stands twice in the index"),
        (lambda whole: whole.update({"property": b"20000000,112,112"}), r"float32, which tells 1 to 16777216 apart"),
        (lambda whole: whole.update({"train.rec": b""}), r"a record file is empty"),
        (lambda whole: whole.update({"train.idx": b"0\tx\n"}), r"a line does not fit"),
        (lambda whole: whole.update({"property": b"many"}), r"not the properties of a record file: 'many'"),
        (lambda whole: whole.update({"property": b"2,112,112"}), r"label 2 is none of the 2 identities in property"),
        (lambda whole: whole.update(files(contents() | {4: packed(0.5)})), r"record 4 is broken: its label 0\.5"),
        (
            lambda whole: whole.update(files(contents() | {4: packed(float("nan"))})),
            r"record 4 is broken: its label nan",
        ),
        (lambda whole: whole.update(files(contents() | {4: b"short"})), r"record 4 is broken: its 5 bytes are too few"),
        (lambda whole: whole.update(files(contents() | {4: packed([1.0] * 3)[:30]})), r"announces 3 labels"),
        (lambda whole: whole.update(files(contents() | {10: packed([4, 1])})), r"record 10 .* no range of records"),
        (lambda whole: whole.update(files(contents() | {0: packed(3.0)})), r"record 0 .* no range of records"),
    ],
)
def test_what_is_broken_is_named(tmp_path, change, message):
    with pytest.raises(SourceError, match=message):
        acquire(broken(tmp_path, change), Settings(), 1)


def test_parts_out_of_order_are_broken(tmp_path):
    whole = files({0: packed(1.0, MAGIC * 2)})
    parts = bytearray(whole["train.rec"])
    parts[7] = 3 << 5  # the first part says that it is the last
    root = write(tmp_path, whole | {"train.rec": bytes(parts)})
    with pytest.raises(SourceError, match="record 0 is broken: its part at byte 0 is out of order"):
        RecordFile(root / "train.rec", root / "train.idx").read(0)
