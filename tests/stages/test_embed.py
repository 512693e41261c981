import zipfile

import numpy as np
import pyarrow as pa
import pytest
import torch

from lrfr import faces, paths
from lrfr.core.resampling import rendition
from lrfr.errors import FaceTableError, ImageError, ParameterError
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.model_file import write_model
from lrfr.stages import embed
from tests.face_tables import face, write_params, write_split

ARCHITECTURE = Architecture(backbone="lrfr_ir18", width=0.125, embedding_dim=8, input_size=16, dropout=0.0)
EVALUATE = {"bootstrap": 10, "metric": "cosine", "sides": [8], "widths": [20, 25]}
SETS = {
    "templates": ("generated_templates", ["embedding_side_8"]),
    "pairs": ("generated_pairs", ["embedding_mirror"]),
    "lineup": ("generated_lineup", ["embedding_width_20", "embedding_width_25"]),
}


def write(rows, path):
    faces.write_faces(pa.Table.from_pylist(rows, faces.FACE_SCHEMA), path)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sets = {name: {"source": source, "root": ".", "settings": {}} for name, (source, _) in SETS.items()}
    write_params(evaluation_sets=sets, evaluate=EVALUATE, methods={"baseline": {}}, threads=1)
    write_split()
    rng = np.random.default_rng(2)
    write([face(rng, f"t{number}", 20, split="probe") for number in range(3)], paths.TWIN)
    for name in SETS:
        rows = [face(rng, f"{name} {number}", 30 + number) for number in range(130)]
        rows[1] |= {"attributes": [("missing", "unreadable")], "image": b"not an image"}
        write(rows, paths.mounted(name))
    torch.manual_seed(0)
    write_model(paths.model("baseline"), Embedder(ARCHITECTURE))


def stored(test_set):
    with np.load(paths.embeddings("baseline", test_set)) as arrays:
        return dict(arrays)


def test_every_test_set_is_embedded_with_the_renditions_of_its_protocol():
    embed.run("baseline")
    for name in ("benchmark", "twin", *SETS):
        arrays = stored(name)
        asked = SETS[name][1] if name in SETS else []
        assert set(arrays) == {"face_id", "missing", "trains_on", "embedding", *asked}
        assert arrays["trains_on"] == "native"
        assert all(arrays[of].dtype == np.float32 and arrays[of].shape[1] == 8 for of in ("embedding", *asked))
    assert stored("twin")["face_id"].tolist() == faces.read_faces(paths.TWIN)["face_id"].to_pylist()


def test_of_the_benchmark_only_what_is_tested_on_is_embedded():
    rng, splits = np.random.default_rng(3), ["train", "probe", "train", "gallery", "distractor"]
    rows = [face(rng, f"b{number}", 20, split=splits[number % 5]) for number in range(300)]  # three batches
    write(rows, paths.BENCHMARK)
    embed.run("baseline")
    assert stored("benchmark")["face_id"].tolist() == [row["face_id"] for row in rows if row["split"] != "train"]


def test_a_missing_face_is_a_row_of_zeros_and_nobody_decodes_it():
    embed.run("baseline")
    arrays = stored("lineup")
    assert np.flatnonzero(arrays["missing"]).tolist() == [1]
    for name in ("embedding", "embedding_width_20"):
        assert np.flatnonzero((arrays[name] == 0).all(axis=1)).tolist() == [1]


@pytest.mark.parametrize(
    ("test_set", "name"), [("templates", "side_8"), ("pairs", "mirror"), ("lineup", "width_20"), ("lineup", None)]
)
def test_an_embedding_is_that_of_the_rendition(test_set, name):
    embed.run("baseline")
    row = faces.read_faces(paths.mounted(test_set)).to_pylist()[129]  # of the second batch
    image = faces.decode(row["image"])
    image = image if name is None else rendition(image, name)
    torch.manual_seed(0)
    embedder = Embedder(ARCHITECTURE).eval()
    with torch.inference_mode():
        expected = embedder(torch.from_numpy(image.transpose(2, 0, 1).copy())[None].float() / 255)
    found = stored(test_set)["embedding" if name is None else f"embedding_{name}"][129]
    assert np.allclose(found, expected.numpy()[0], atol=1e-4)


def test_equal_faces_give_equal_bytes():
    embed.run("baseline")
    path = paths.embeddings("baseline", "lineup")
    first = path.read_bytes()
    embed.run("baseline")
    assert path.read_bytes() == first
    with zipfile.ZipFile(path) as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_an_unknown_method_lists_the_known_ones():
    with pytest.raises(ParameterError, match=r"unknown method 'base'(.|\n)*did you mean 'baseline'"):
        embed.run("base")


def test_a_set_that_is_not_mounted_and_a_face_that_is_broken_are_named():
    rows = faces.read_faces(paths.mounted("pairs")).to_pylist()
    rows[0] |= {"image": b"not an image"}
    write(rows, paths.mounted("pairs"))
    with pytest.raises(ImageError, match=rows[0]["face_id"]):
        embed.run("baseline")
    assert not paths.embeddings("baseline", "pairs").exists()
    paths.mounted("templates").unlink()
    with pytest.raises(FaceTableError, match=r"data/mounted/templates/faces\.parquet"):
        embed.run("baseline")
