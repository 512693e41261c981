"""The same arrays in every format, and files that are not what they should be."""

import io
import os
import pickle
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrfr import memory
from lrfr.errors import EmbeddingError
from lrfr.score.arrays import numbered, read_arrays
from tests.score.files import closed_files, flat, refused, scored, scored_pairs, without_intervals

IDENTITIES = ("embedding", "identity")


def as_npy(path):
    """The arrays of an .npz as .npy with a .csv beside it."""
    arrays = dict(np.load(path))
    np.save(path.with_suffix(".npy"), arrays.pop("embedding"))
    lines = [",".join(arrays), *(",".join(map(str, row)) for row in zip(*arrays.values(), strict=True))]
    path.with_suffix(".csv").write_text("\n".join(lines) + "\n")
    return path.with_suffix(".npy")


def as_parquet(path, lists=None):
    arrays = dict(np.load(path))
    embedding = arrays.pop("embedding")
    kind = lists or pa.list_(pa.from_numpy_dtype(embedding.dtype))
    columns = {"embedding": pa.array(list(embedding), kind), **{name: pa.array(of) for name, of in arrays.items()}}
    pq.write_table(pa.table(columns), path.with_suffix(".parquet"), row_group_size=7)
    return path.with_suffix(".parquet")


@pytest.mark.parametrize("convert", [as_npy, as_parquet, lambda path: as_parquet(path, pa.list_(pa.float32(), 16))])
def test_every_format_gives_the_same_figures(tmp_path, convert):
    files = closed_files(tmp_path, probe_missing=np.arange(40) == 3)
    expected = scored("closed-set", *flat(files))
    assert scored("closed-set", *flat({name: convert(path) for name, path in files.items()})) == expected


def test_scores_may_be_a_table(tmp_path):
    path = scored_pairs(tmp_path)
    expected = scored("reject", "--scores", path)
    arrays = dict(np.load(path))
    table = tmp_path / "scores.parquet"
    pq.write_table(pa.table({name: pa.array(of) for name, of in arrays.items()}), table)
    assert scored("reject", "--scores", table) == expected
    rows = zip(*(of.tolist() for of in arrays.values()), strict=True)
    lines = [",".join(arrays), *(",".join(map(repr, row)) for row in rows)]
    (tmp_path / "scores.csv").write_text("\n".join(lines).replace("True", "1").replace("False", "0"))
    assert scored("reject", "--scores", tmp_path / "scores.csv") == expected
    np.save(tmp_path / "scores.npy", arrays["score"])
    assert scored("reject", "--scores", tmp_path / "scores.npy") == expected


def test_pairs_of_embeddings_may_be_one_array(tmp_path):
    pairs = np.random.default_rng(0).normal(size=(6, 2, 4))
    np.save(tmp_path / "e.npy", pairs)
    (tmp_path / "e.csv").write_text("same\n" + "1\n0\n" * 3)
    read = read_arrays(tmp_path / "e.npy", ("left", "right", "same"))
    assert np.array_equal(read["left"], pairs[:, 0])
    assert read["same"].tolist() == [True, False] * 3
    np.save(tmp_path / "e.npy", pairs[:, 0])
    with pytest.raises(EmbeddingError, match=r"\(N, 2, D\) is needed"):
        read_arrays(tmp_path / "e.npy", ("left", "right", "same"))


def test_an_npy_is_not_read_into_memory(tmp_path):
    files = closed_files(tmp_path)
    assert isinstance(read_arrays(as_npy(files["--gallery"]), IDENTITIES)["embedding"], np.memmap)


def test_people_may_have_names_and_be_the_same_in_both_files(tmp_path):
    files = closed_files(tmp_path)
    expected = without_intervals(scored("closed-set", *flat(files)))
    for path in (as_npy(of) for of in files.values()):
        table = path.with_suffix(".csv")
        header, *names = table.read_text().split()
        table.write_text("\n".join([header, *("" if name == "-1" else f'"person {name}, esq."' for name in names)]))
    paths = {name: path.with_suffix(".npy") for name, path in files.items()}
    # a line of one empty column would be no line: a second column keeps it
    for path in paths.values():
        table = path.with_suffix(".csv")
        header, *names = table.read_text().split("\n")
        table.write_text("\n".join([f"{header},note", *(f"{name}," for name in names)]))
    assert without_intervals(scored("closed-set", *flat(paths))) == expected


@pytest.mark.parametrize(
    ("columns", "numbers"),
    [
        (([3, -1], [5]), [3, -1, 5]),
        ((["b", "a"], ["a"]), [3, 2, 2]),
        ((["", "-1", "007"], [7]), [-1, -1, 2, 3]),
    ],
)
def test_names_are_numbered_alike(columns, numbers):
    found = np.concatenate(numbered(*(np.array(column) for column in columns)))
    assert np.array_equal(found == -1, np.array(numbers) == -1)
    assert [list(found).index(one) for one in found] == [numbers.index(one) for one in numbers]


NAMES = ["Jos\u00e9", "Jose\u0301 ", "11.0", "11", "007", ""]


@pytest.mark.parametrize("ending", [".npz", ".csv", ".parquet"])
def test_a_name_has_one_form_in_every_format(tmp_path, ending):
    path = tmp_path / f"x{ending}"
    if ending == ".npz":
        np.savez(path, identity=np.array(NAMES))
    elif ending == ".csv":
        path.write_text("\n".join(["note,identity", *(f"x,{name}" for name in NAMES)]))
    else:
        pq.write_table(pa.table({"identity": NAMES}), path)
    assert read_arrays(path, ("identity",))["identity"].tolist() == ["Jos\u00e9"] * 2 + ["11"] * 2 + ["007", ""]


def test_whole_numbers_in_text_are_whole_numbers(tmp_path):
    np.savez(tmp_path / "x.npz", identity=np.array(["11.0", "-1", "5"]))
    assert read_arrays(tmp_path / "x.npz", ("identity",))["identity"].tolist() == [11, -1, 5]


@pytest.mark.parametrize("name", ["nan", "None"])
def test_what_programs_write_for_nobody_is_no_name(tmp_path, name):
    np.savez(tmp_path / "x.npz", identity=np.array(["ann", name]))
    with pytest.raises(EmbeddingError, match=rf"the identity '{name}' is what programs write[\s\S]*x\.npz, row 1"):
        read_arrays(tmp_path / "x.npz", ("identity",))


@pytest.mark.parametrize("values", [np.array([b"ann", b"bob"]), np.array([1.0, np.nan]), np.array([True, False])])
def test_bytes_floats_and_truths_are_no_names(tmp_path, values):
    np.savez(tmp_path / "x.npz", identity=values)
    with pytest.raises(EmbeddingError, match=r"'identity' holds .*; whole numbers or text"):
        read_arrays(tmp_path / "x.npz", ("identity",))


def test_an_array_that_stands_twice_in_an_archive_is_refused(tmp_path):
    np.savez(tmp_path / "x.npz", identity=np.arange(2))
    with zipfile.ZipFile(tmp_path / "x.npz", "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("identity.npy", archive.read("identity.npy"))
    with pytest.raises(EmbeddingError, match="'identity' is there more than once"):
        read_arrays(tmp_path / "x.npz", ("identity",))


def test_an_error_speaks_of_people_by_their_names(tmp_path):
    names = np.array(["Ann", "Jos\u00e9"] * 20)
    files = closed_files(tmp_path, probe_identity=names, gallery_identity=np.array(["Ann"] * 70))
    assert "probe row 1: identity Jos\u00e9" in refused("closed-set", *flat(files))
    sides = {f"{side}-{run}": path for side, path in files.items() for run in "ab"}
    assert "probe row 1: identity Jos\u00e9" in refused("compare", *flat(sides))


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.int8, ">f4"])
def test_any_real_numbers_are_embeddings(tmp_path, dtype):
    embedding = np.round(np.load(closed_files(tmp_path)["--probe"])["embedding"] * 10).astype(dtype)
    files = closed_files(tmp_path, probe_embedding=embedding)
    expected = scored("closed-set", *flat(closed_files(tmp_path, probe_embedding=embedding.astype(np.float64))))
    files = closed_files(tmp_path, probe_embedding=embedding)
    assert scored("closed-set", *flat(files)) == expected


def test_a_pickle_is_never_run(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (print, ("it ran",))

    files = closed_files(tmp_path)
    arrays = dict(np.load(files["--probe"]))
    np.savez(files["--probe"], **(arrays | {"identity": np.array([Bomb()] * 40, object)}))
    message = refused("closed-set", *flat(files))
    assert "a pickle can run code" in message
    assert "it ran" not in message
    (tmp_path / "bare.npz").write_bytes(pickle.dumps(Bomb()))
    assert "pickle" in refused("closed-set", "--probe", tmp_path / "bare.npz", "--gallery", files["--gallery"])
    np.save(tmp_path / "objects.npy", np.array([Bomb()], object))
    assert "read" in refused("closed-set", "--probe", tmp_path / "objects.npy", "--gallery", files["--gallery"])


def test_an_archive_of_something_else_is_refused(tmp_path):
    gallery = closed_files(tmp_path)["--gallery"]
    header = b"\x93NUMPY\x01\x00\x76\x00"
    claim = b"{'descr': '<f8', 'fortran_order': False, 'shape': (10000000000000, 16), }".ljust(117) + b"\n"
    for content, says in ((b"no array", "of the shape ()"), (header + claim, "cannot be read")):
        with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
            archive.writestr("embedding.npy", content)
            archive.writestr("identity.npy", content)
        assert says in refused("closed-set", "--probe", tmp_path / "x.npz", "--gallery", gallery)


def test_files_of_another_kind_are_refused(tmp_path):
    gallery = closed_files(tmp_path)["--gallery"]

    def says(path):
        return refused("closed-set", "--probe", path, "--gallery", gallery)

    assert "there is no such file" in says(tmp_path / "lost.npz")
    assert "'.mat' are not read" in says(tmp_path / "x.mat")
    (tmp_path / "folder.npz").mkdir()
    assert "folder" in says(tmp_path / "folder.npz")
    os.mkfifo(tmp_path / "pipe.npz")
    assert "a pipe or a device" in says(tmp_path / "pipe.npz")
    (tmp_path / "empty.npz").write_bytes(b"")
    assert "cannot be read" in says(tmp_path / "empty.npz")
    (tmp_path / "x.parquet").write_bytes(b"PAR1 and no more")
    assert "cannot be read" in says(tmp_path / "x.parquet")
    np.save(tmp_path / "one.npy", np.ones((2, 2)))
    (tmp_path / "one.npy").rename(tmp_path / "one.npz")
    assert "one array, not an archive" in says(tmp_path / "one.npz")
    gallery.with_name("two.npy").write_bytes(gallery.read_bytes())
    assert "an archive, not one array" in says(tmp_path / "two.npy")


def test_a_table_beside_an_array_has_to_fit(tmp_path):
    files = closed_files(tmp_path)
    path = as_npy(files["--probe"])
    table = path.with_suffix(".csv")
    good = table.read_text()

    def says(text):
        table.write_text(text)
        return refused("closed-set", "--probe", path, "--gallery", files["--gallery"])

    assert "'identity' is missing; the file has name" in says(good.replace("identity", "name"))
    assert "more than once" in says("identity,identity\n1,1\n")
    assert "differ in length" in says(good + "3\n")
    assert "cannot be read" in says(good + "3,4\n")
    assert "whole numbers or text (N,) are needed, N > 0" in says("identity\n")
    assert "is missing" in says("")
    table.unlink()
    assert "no table beside" in refused("closed-set", "--probe", path, "--gallery", files["--gallery"])
    assert "a .csv has no embeddings" in refused("closed-set", "--probe", table_of(path), *flat(files)[2:])


def table_of(path):
    path.with_suffix(".csv").write_text("identity\n1\n")
    return path.with_suffix(".csv")


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"embedding": [[1.0, 2.0], [1.0]], "identity": [0, 1]}, "differ in length"),
        ({"embedding": [[1.0, None], [1.0, 2.0]], "identity": [0, 1]}, "lack a value"),
        ({"embedding": [None, [1.0, 2.0]], "identity": [0, 1]}, "lack a value"),
        ({"embedding": [["a"], ["b"]], "identity": [0, 1]}, "not lists of numbers"),
        ({"embedding": [1.0, 2.0], "identity": [0, 1]}, "not lists of numbers"),
        ({"embedding": [[1.0], [2.0]], "identity": [0.5, 1]}, "whole numbers"),
        ({"embedding": [[1.0], [2.0]]}, "'identity' is missing; the file has embedding"),
        ({"embedding": pa.array([], pa.list_(pa.float32())), "identity": pa.array([], pa.int64())}, "N > 0"),
    ],
)
def test_a_parquet_table_has_to_fit(tmp_path, columns, says):
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    with pytest.raises(EmbeddingError, match=says):
        read_arrays(tmp_path / "t.parquet", IDENTITIES)


def test_a_value_that_is_not_there_is_unknown_for_an_identity_alone(tmp_path):
    table = pa.table({"embedding": [[1.0], [2.0]], "identity": ["a", None], "missing": [True, None]})
    pq.write_table(table.drop_columns("missing"), tmp_path / "t.parquet")
    assert read_arrays(tmp_path / "t.parquet", IDENTITIES)["identity"].tolist() == ["a", ""]
    pq.write_table(table, tmp_path / "t.parquet")
    with pytest.raises(EmbeddingError, match="1 rows have no missing"):
        read_arrays(tmp_path / "t.parquet", IDENTITIES, ("missing",))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([".npz", ".npy", ".parquet", ".csv"]), st.data())
def test_damaged_bytes_are_a_message_and_no_traceback(tmp_path_factory, suffix, data):
    folder = tmp_path_factory.mktemp("damaged")
    bytes_of = io.BytesIO()
    if suffix == ".parquet":
        pq.write_table(pa.table({"embedding": [[1.0, 2.0]] * 9, "identity": list(range(9))}), bytes_of)
    elif suffix == ".npz":
        np.savez_compressed(bytes_of, embedding=np.ones((9, 2)), identity=np.arange(9))
    else:
        np.save(bytes_of, np.ones((9, 2)))
    damaged = bytearray(bytes_of.getvalue())
    for place in data.draw(st.lists(st.integers(0, len(damaged) - 1), min_size=1, max_size=4)):
        damaged[place] = data.draw(st.integers(0, 255))
    path = folder / f"x{suffix}"
    path.write_bytes(damaged[: data.draw(st.integers(0, len(damaged)))] if data.draw(st.booleans()) else damaged)
    if suffix == ".npy":
        (folder / "x.csv").write_text("identity\n" + "1\n" * 9)
    wanted = ("identity",) if suffix == ".csv" else IDENTITIES
    try:
        read = read_arrays(path, wanted)
    except (EmbeddingError, MemoryError):
        return
    assert set(read) == set(wanted)


def test_an_encrypted_archive_is_a_message(tmp_path):
    path = closed_files(tmp_path)["--probe"]
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        start = archive.infolist()[0].header_offset
    content[start + 6] |= 1
    for place in [content.find(b"PK\x01\x02")]:
        content[place + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(EmbeddingError, match="cannot be read"):
        read_arrays(path, IDENTITIES)


def test_arrays_larger_than_the_memory_are_refused_before_they_are_unpacked(tmp_path, monkeypatch):
    """Nothing but zeros: a thousand times as large as its file."""
    np.savez_compressed(tmp_path / "zeros.npz", embedding=np.zeros((20_000, 16)), identity=np.zeros(20_000, int))
    monkeypatch.setattr(memory, "usable", lambda: 1_000_000)
    assert "these arrays are too large" in refused("closed-set", "--probe", tmp_path / "zeros.npz",
                                                   "--gallery", tmp_path / "zeros.npz")  # fmt: skip
    table = pa.table({"score": np.zeros(200_000), "same": np.zeros(200_000, bool)})
    pq.write_table(table, tmp_path / "zeros.parquet")
    assert "these columns are too large" in refused("verification", "--scores", tmp_path / "zeros.parquet")
    lists = pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(160_000, np.float32)), 16)
    pq.write_table(pa.table({"embedding": lists, "identity": np.zeros(10_000, int)}), tmp_path / "lists.parquet")
    assert "'embedding' is too large" in refused("closed-set", "--probe", tmp_path / "lists.parquet",
                                                 "--gallery", tmp_path / "lists.parquet")  # fmt: skip
