import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrfr.errors import FaceTableError, ImageError
from lrfr.faces import (
    FACE_SCHEMA,
    decode,
    encode_png,
    face_id,
    fixed_width,
    numbered,
    read_faces,
    write_face_rows,
    write_faces,
)
from tests.face_tables import face_table, whole


def test_a_table_is_read_as_it_was_written_and_equal_tables_give_equal_bytes(tmp_path):
    faces = face_table()
    write_faces(faces, tmp_path / "a.parquet")
    write_faces(faces, tmp_path / "b.parquet")
    assert whole(tmp_path / "a.parquet").equals(faces)
    assert read_faces(tmp_path / "a.parquet").equals(faces.drop_columns("image"))
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    assert read_faces(tmp_path / "a.parquet", ["split"]).column_names == ["split"]


def test_a_face_id_that_stands_twice_is_refused_and_the_old_file_stays(tmp_path):
    path, faces = tmp_path / "faces.parquet", face_table()
    write_faces(faces, path)
    with pytest.raises(FaceTableError, match="24 face_id values stand more than once"):
        write_faces(pa.concat_tables([faces, faces]), path)
    assert whole(path).equals(faces)
    assert [file.name for file in tmp_path.iterdir()] == ["faces.parquet"]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda t: t.drop_columns("width"), "width"),
        (lambda t: t.set_column(3, "width", pa.array(["wide"] * len(t))), "wide"),
        (lambda t: t.set_column(2, "image", pa.nulls(len(t), pa.binary())), "image"),
    ],
)
def test_a_table_that_breaks_the_schema_is_refused(tmp_path, change, complaint):
    with pytest.raises(FaceTableError, match=complaint):
        write_faces(change(face_table()), tmp_path / "faces.parquet")


def test_images_are_not_read_into_a_table(tmp_path):
    write_faces(face_table(), tmp_path / "faces.parquet")
    with pytest.raises(FaceTableError, match=r"'image' is not read(.|\n)*faces\.parquet(.|\n)*lrfr\.images"):
        read_faces(tmp_path / "faces.parquet", ["face_id", "image"])


def test_rows_are_written_as_they_are_made(tmp_path, monkeypatch):
    monkeypatch.setattr("lrfr.faces.GROUP_ROWS", 5)
    faces, made = face_table(), []

    def rows():
        for row in faces.to_pylist():
            made.append(row["face_id"])
            yield row

    write_face_rows(rows(), tmp_path / "rows.parquet")
    write_faces(faces, tmp_path / "table.parquet")
    assert made == faces["face_id"].to_pylist()
    assert (tmp_path / "rows.parquet").read_bytes() == (tmp_path / "table.parquet").read_bytes()
    with pytest.raises(FaceTableError, match="1 face_id values stand more than once"):
        write_face_rows([*faces.to_pylist(), faces.to_pylist()[0]], tmp_path / "rows.parquet")
    assert whole(tmp_path / "rows.parquet").equals(faces)


def test_a_missing_or_broken_file_is_named(tmp_path):
    with pytest.raises(FaceTableError, match=r"faces\.parquet"):
        read_faces(tmp_path / "faces.parquet")
    (tmp_path / "faces.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(FaceTableError, match="not a readable Parquet file"):
        read_faces(tmp_path / "faces.parquet")


def test_somebody_s_types_become_ours_or_are_refused(tmp_path):
    faces = face_table()
    nullable = pa.schema([field.with_nullable(True) for field in FACE_SCHEMA])
    pq.write_table(faces.cast(nullable), tmp_path / "faces.parquet")
    ours = read_faces(tmp_path / "faces.parquet")
    assert ours.schema.equals(pa.schema([field for field in FACE_SCHEMA if field.name != "image"]))
    odd = faces.drop_columns(["width"]).append_column("width", pa.array(["wide"] * len(faces)))
    pq.write_table(odd, tmp_path / "faces.parquet")
    with pytest.raises(FaceTableError, match=r"does not meet its schema(.|\n)*faces\.parquet"):
        read_faces(tmp_path / "faces.parquet")


def test_images_survive_and_broken_ones_say_where():
    image = np.random.default_rng(0).integers(0, 255, (5, 7, 3), dtype=np.uint8)
    assert np.array_equal(decode(encode_png(image)), image)
    for broken, complaint in ((b"", "empty"), (encode_png(image)[:40], "truncated"), (b"GIF?", "no known format")):
        with pytest.raises(ImageError, match=f"{complaint}.*\n.*photo 7"):
            decode(broken, "photo 7")


def test_a_face_id_hangs_on_pixels_shape_and_place():
    image = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    ids = {face_id(image, "a"), face_id(image, "b"), face_id(image + 1, "a"), face_id(image.reshape(4, 2, 3), "a")}
    assert len(ids) == 4
    assert face_id(image, "a") == face_id(image.copy(), "a")
    assert FACE_SCHEMA.field("face_id").type == pa.string()


@given(st.lists(st.one_of(st.none(), st.text(st.characters(codec="utf-8", exclude_characters="\0")))))
def test_names_are_numbered(names):
    column = pa.chunked_array([pa.array(names[:3], pa.string()), pa.array(names[3:], pa.string())])
    distinct, places = numbered(column)
    assert [None if place < 0 else distinct[place] for place in places.tolist()] == names
    assert len(set(distinct)) == len(distinct)


@given(st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8"))), st.integers(0, 3))
def test_strings_become_one_array_of_bytes(names, start):
    column = pa.chunked_array([pa.array(names[:4], pa.string()), pa.array(names[4:], pa.string())]).slice(start)
    assert [name.decode() for name in fixed_width(column).tolist()] == names[start:]
