"""The one door to pixels."""

import multiprocessing
import pickle
import threading
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrfr import faces, images
from lrfr.decoding import decode
from lrfr.errors import FaceTableError, ImageError
from lrfr.faces import FACE_SCHEMA, PHOTO_SCHEMA, read_faces, with_rows, write_face_rows, write_faces, write_table
from lrfr.images import Images, write_selected
from tests.face_tables import face_table, whole


def listed(of: Images, size: int = 5) -> list[bytes]:
    return [image for batch in of.batches(size) for image in batch]


@pytest.fixture(params=[1, 5, 100])
def table(request, tmp_path) -> tuple[Path, pa.Table]:
    """Faces in row groups of so many rows."""
    made = face_table()
    pq.write_table(made, tmp_path / "faces.parquet", row_group_size=request.param)
    return tmp_path / "faces.parquet", made


def test_images_are_the_bytes_of_the_table(table):
    path, made = table
    expected, found = made["image"].to_pylist(), Images(path)
    assert len(found) == len(expected) == 24
    assert listed(found) == expected
    assert [len(batch) for batch in found.batches(10)] == [10, 10, 4]
    assert [found.encoded(row) for row in (23, 0, 7)] == [expected[23], expected[0], expected[7]]
    assert np.array_equal(found.decoded(3), decode(expected[3]))
    with pytest.raises(IndexError):
        found.encoded(24)


@given(data=st.data(), group=st.integers(1, 12), size=st.integers(1, 9), read=st.integers(1, 5))
def test_select_batches_and_encoded_agree(tmp_path_factory, data, group, size, read):
    encoded = data.draw(st.lists(st.binary(max_size=12), min_size=1, max_size=30))
    path = tmp_path_factory.mktemp("images") / "t.parquet"
    ids = [str(number) for number in range(len(encoded))]
    kind = data.draw(st.sampled_from([pa.binary(), pa.large_binary()]))
    pq.write_table(pa.table({"face_id": ids, "image": pa.array(encoded, kind)}), path, row_group_size=group)
    row = st.integers(0, len(encoded) - 1)
    rows = data.draw(st.lists(row, max_size=40))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(images, "READ_ROWS", read)
        some = Images(path, np.array(rows, int))
        expected = [encoded[number] for number in rows]
        assert len(some) == len(rows)
        assert listed(some, size) == expected
        assert [some.encoded(number) for number in range(len(rows))] == expected
        again = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=9)) if rows else []
        assert listed(some.select(np.array(again, int)), size) == [expected[number] for number in again]
        mask = np.arange(len(encoded)) % 2 == 0
        assert listed(Images(path, mask)) == listed(Images(path).select(mask)) == encoded[::2]


def test_many_images_in_another_order_wait_on_the_disk(table, monkeypatch):
    path, made = table
    monkeypatch.setattr(images, "WAITING", 100)  # bytes
    order = np.random.default_rng(0).permutation(24)
    assert listed(Images(path, order)) == made["image"].take(order).to_pylist()
    assert [file.name for file in path.parent.iterdir()] == ["faces.parquet"]


def test_photos_have_images_too(tmp_path):
    row = {"source": "s", "collection": "native", "width": 1, "height": 1}
    rows = [row | {"photo_id": f"p{number}", "image": b"photo %d" % number} for number in range(3)]
    write_table(pa.Table.from_pylist(rows, PHOTO_SCHEMA), tmp_path / "photos.parquet", PHOTO_SCHEMA)
    found = Images(tmp_path / "photos.parquet")
    assert listed(found) == [b"photo 0", b"photo 1", b"photo 2"]
    with pytest.raises(ImageError, match=r"photos\.parquet, photo p1"):
        found.decoded(1)


def test_a_row_without_bytes_and_a_torn_one_are_named(tmp_path):
    made = pa.table({"face_id": ["a", "b", "c"], "image": [b"torn", None, b""]})
    pq.write_table(made, tmp_path / "faces.parquet", row_group_size=1)
    found = Images(tmp_path / "faces.parquet")
    assert listed(found) == [b"torn", b"", b""]
    for row, complaint, name in ((0, "no known format", "a"), (1, "empty", "b"), (2, "empty", "c")):
        with pytest.raises(ImageError, match=rf"{complaint}(.|\n)*faces\.parquet, face {name}(.|\n)*what to do"):
            found.decoded(row)
    with pytest.raises(ImageError, match="face c"):
        found.select(np.array([2])).decoded(0)


@pytest.mark.parametrize(
    ("columns", "complaint"),
    [
        ({"face_id": ["a"]}, "columns are missing: image"),
        ({"image": [b"a"]}, "columns are missing: face_id"),
        ({"name": ["a"]}, "columns are missing: face_id, image"),
        ({"face_id": ["a"], "image": ["a.png"]}, "the column image is string, not binary"),
        ({"face_id": ["a"], "image": [[1, 2]]}, "the column image is list"),
    ],
)
def test_another_table_is_refused(tmp_path, columns, complaint):
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    with pytest.raises(FaceTableError, match=rf"{complaint}(.|\n)*where: .*t\.parquet(.|\n)*what to do"):
        Images(tmp_path / "t.parquet")


def test_a_missing_and_a_damaged_file_are_named(tmp_path):
    path = tmp_path / "faces.parquet"
    with pytest.raises(FaceTableError, match=r"a table is missing(.|\n)*faces\.parquet(.|\n)*dvc repro"):
        Images(path)
    path.write_bytes(b"no Parquet")
    with pytest.raises(FaceTableError, match=r"not a readable face table(.|\n)*faces\.parquet"):
        Images(path)
    write_faces(face_table(), path)
    content = bytearray(path.read_bytes())
    start = pq.ParquetFile(path).metadata.row_group(0).column(2).data_page_offset
    content[start : start + 400] = bytes(400)
    path.write_bytes(content)
    with pytest.raises(FaceTableError, match=r"not a readable face table(.|\n)*faces\.parquet"):
        listed(Images(path))


def test_images_stay_those_of_their_rows_when_the_file_is_written_anew(table):
    path, made = table
    found = Images(path)
    write_faces(made.slice(0, 3), path)
    assert listed(found) == made["image"].to_pylist()
    assert listed(Images(path)) == made["image"].to_pylist()[:3]


def test_threads_and_processes_see_the_same(table):
    path, made = table
    found, expected = Images(path, np.arange(5, 20)), made["image"].to_pylist()[5:20]
    seen = []
    threads = [threading.Thread(target=lambda: seen.append(listed(found))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [expected] * 4
    assert listed(pickle.loads(pickle.dumps(found))) == expected
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=lambda: sender.send(listed(found)))
    process.start()
    assert receiver.recv() == expected
    process.join()


def test_selected_rows_keep_their_bytes_and_their_order(table, tmp_path):
    path, made = table
    order = np.random.default_rng(1).permutation(24)[:17]
    rows = with_rows(read_faces(path)).take(order)
    split = pa.array(["gallery"] * 17, pa.string())
    write_selected(rows.set_column(rows.schema.get_field_index("split"), "split", split), path, tmp_path / "o.parquet")
    expected = made.take(order)
    assert whole(tmp_path / "o.parquet").equals(
        expected.set_column(FACE_SCHEMA.get_field_index("split"), FACE_SCHEMA.field("split"), split)
    )
    assert listed(Images(tmp_path / "o.parquet")) == expected["image"].to_pylist()


def test_selected_rows_come_from_several_tables(tmp_path):
    made = face_table()
    places = [tmp_path / f"{part}.parquet" for part in range(3)]
    for place, part in zip(places, (made.slice(0, 10), made.slice(10, 0), made.slice(10)), strict=True):
        write_faces(part, place)
    order = np.random.default_rng(2).permutation(24)
    write_selected(made.drop_columns("image").take(order), places, tmp_path / "o.parquet")
    assert whole(tmp_path / "o.parquet").equals(made.take(order))
    write_faces(made.take(order), tmp_path / "p.parquet")
    assert (tmp_path / "o.parquet").read_bytes() == (tmp_path / "p.parquet").read_bytes()
    write_selected(made.drop_columns("image").slice(0, 0), places, tmp_path / "o.parquet")
    assert whole(tmp_path / "o.parquet").equals(made.slice(0, 0))


def test_rows_whose_images_are_not_there_or_that_stand_twice_are_refused(tmp_path):
    made = face_table()
    write_faces(made.slice(0, 20), tmp_path / "faces.parquet")
    out = tmp_path / "o.parquet"
    lost = made["face_id"][20].as_py()
    with pytest.raises(FaceTableError, match=rf"4 faces are not there, such as that of {lost}(.|\n)*dvc repro"):
        write_selected(made.drop_columns("image"), tmp_path / "faces.parquet", out)
    twice = made.drop_columns("image").take([3, 4, 3])
    with pytest.raises(FaceTableError, match="1 face_id values stand more than once"):
        write_selected(twice, tmp_path / "faces.parquet", out)
    with pytest.raises(FaceTableError, match="a table is missing"):
        write_selected(twice, tmp_path / "nowhere.parquet", out)
    assert [file.name for file in tmp_path.iterdir()] == ["faces.parquet"]


def test_row_groups_hold_so_many_bytes(tmp_path, monkeypatch):
    made = face_table()
    size = max(map(len, made["image"].to_pylist()))
    monkeypatch.setattr(faces, "GROUP_BYTES", 2 * size)
    write_faces(made, tmp_path / "faces.parquet")
    footer = pq.ParquetFile(tmp_path / "faces.parquet").metadata
    rows = [footer.row_group(group).num_rows for group in range(footer.num_row_groups)]
    assert sum(rows) == 24 and max(rows) <= 4 and len(rows) > 6
    assert listed(Images(tmp_path / "faces.parquet")) == made["image"].to_pylist()


def test_no_array_of_images_has_32_bit_offsets(tmp_path, monkeypatch):
    """Above 2 GiB these would overflow: on the way to the disk offsets have 64 bits, on the way back a part is read."""
    assert FACE_SCHEMA.field("image").type == PHOTO_SCHEMA.field("image").type == pa.large_binary()
    seen = []
    written = pq.ParquetWriter.write_table

    def watched(writer, table, *arguments, **named):
        seen.append((table.schema.field("image").type, table["image"].nbytes))
        return written(writer, table, *arguments, **named)

    monkeypatch.setattr(pq.ParquetWriter, "write_table", watched)
    made = face_table()
    made = made.set_column(2, "image", pa.array(made["image"].to_pylist(), pa.binary()))  # as somebody may bring it
    write_faces(made, tmp_path / "faces.parquet")
    write_selected(made.drop_columns("image"), tmp_path / "faces.parquet", tmp_path / "o.parquet")
    assert {kind for kind, _ in seen} == {pa.large_binary()}

    read, rows = pq.ParquetFile.iter_batches, []

    def counted(file, size, *arguments, **named):
        rows.append(size)
        return read(file, size, *arguments, **named)

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", counted)
    monkeypatch.setattr(images, "READ_BYTES", 3000)
    assert listed(Images(tmp_path / "faces.parquet")) == made["image"].to_pylist()
    assert max(rows) <= 3000 // min(map(len, made["image"].to_pylist()))


def test_more_images_than_32_bit_offsets_can_hold(tmp_path):
    """2,200 faces of 1 MiB, which take no room: they are written, chosen from, put beside others, and read."""
    path, kept = tmp_path / "faces.parquet", tmp_path / "kept.parquet"
    plain = face_table().slice(0, 1).to_pylist()[0]
    padded = plain["image"] + bytes((1 << 20) - len(plain["image"]))
    write_face_rows((plain | {"face_id": f"{number:04}", "image": padded} for number in range(2200)), path)
    held = pa.chunked_array([pa.array([padded], pa.large_binary())] * 2200)
    assert held.nbytes > 1 << 31
    table = read_faces(path)
    write_selected(table.take(np.flatnonzero(np.arange(2200) != 7)), path, kept)
    found = Images(kept)
    assert len(found) == 2199
    assert np.array_equal(found.decoded(2198), decode(plain["image"]))
    few = found.select(np.array([2198, 0, 1100]))
    assert listed(few) == [padded] * 3
    faces.write_faces(table.append_column("image", held), path)  # as a source hands it over, whole
    assert Images(path).encoded(2199) == padded
