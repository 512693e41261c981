"""The visualize stage: some faces, what each super-resolution network makes of them, and where models look."""

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import torch

from lrfr import faces, paths
from lrfr.core.resampling import bicubic, bicubic_to_height
from lrfr.errors import BenchmarkError, TrainingError
from lrfr.nn.activation_maps import activation_map
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.model_file import Facts, Model, write_model
from lrfr.nn.super_resolution.resolver import SuperResolver, read_resolver, write_resolver
from lrfr.nn.super_resolution.settings import SuperResolution
from lrfr.stages import visualize
from tests.face_tables import face, whole, write_params

SIZE = 24
CHOSEN = SuperResolution(network="vdsr", width=0.1)
PLAIN = Architecture(backbone="lrfr_ir18", width=0.125, embedding_dim=8, input_size=16, dropout=0.0)
HEIGHTS = range(8, 32)


def write(rows, path):
    faces.write_faces(pa.Table.from_pylist(rows, faces.FACE_SCHEMA), path)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_params(methods={"random": {}, "csri": {}}, super_resolution={"vdsr": {}}, threads=1, seed=3)
    rng = np.random.default_rng(1)
    tiny = [face(rng, f"p{n}", height, identity=f"p{n}", split="probe") for n, height in enumerate(HEIGHTS)]
    write([*tiny, *(face(rng, f"g{n}", 20, identity=f"p{n}", split="gallery") for n in range(4))], paths.BENCHMARK)
    splits = ["validation"] * 12 + ["train"] * 12
    hr = [face(rng, f"hr{n}", 40 + n, identity=f"a{n // 2}", split=split) for n, split in enumerate(splits)]
    write(hr, paths.AUXILIARY)
    torch.manual_seed(0)
    write_resolver(paths.super_resolver("vdsr"), shifting(SuperResolver(CHOSEN, (SIZE, SIZE))))
    write_model(paths.model("random"), Model(Embedder(PLAIN)))
    joint = Architecture(**(PLAIN.model_dump() | {"super_resolution": CHOSEN.model_dump()}))
    write_model(paths.model("csri"), Model(Embedder(joint)))


def shifting(resolver):
    """A network that is not the identity."""
    for weights in resolver.parameters():
        torch.nn.init.normal_(weights, std=0.1)
    return resolver


def made():
    visualize.run()
    return whole(paths.EXAMPLES).to_pylist()


def enlarged(image):
    """An image (H, W, 3), uint8, by the stored network."""
    planes = torch.tensor(image / 255, dtype=torch.float32).permute(2, 0, 1)[None]
    with torch.no_grad():
        made = read_resolver(paths.super_resolver("vdsr"))(planes)[0].permute(1, 2, 0)
    return np.rint(255 * made.numpy())


def by_face(rows):
    """Each face's versions by who made them, and what shows it: native or sharp."""
    versions = {}
    for row in rows:
        attributes = dict(row["attributes"])
        key = attributes["shown"], attributes["face"]
        versions.setdefault(key, {})[row["source"]] = faces.decode(row["image"])
    return versions


def test_every_network_enlarges_every_face():
    versions = by_face(made())
    assert [shown for shown, _ in versions] == ["native"] * 8 + ["sharp"] * 4
    for (shown, _), by_source in versions.items():
        last = ["original"] if shown == "sharp" else []
        assert list(by_source) == ["captured", "bicubic", "vdsr", "csri", *last]  # nothing of methods without one
        assert by_source["vdsr"].shape == (SIZE, SIZE, 3) and by_source["csri"].shape == (16, 16, 3)
        assert (by_source["bicubic"] == bicubic(by_source["captured"], SIZE, SIZE)).all()
        assert (by_source["vdsr"] == enlarged(by_source["captured"])).all()
        assert abs(by_source["vdsr"].astype(float) - by_source["bicubic"]).mean() > 1


def test_native_faces_are_probes_of_all_heights():
    versions = by_face(made())
    captured = {key: of["captured"] for (shown, key), of in versions.items() if shown == "native"}
    heights = [image.shape[0] for image in captured.values()]
    assert [(height - HEIGHTS[0]) // 3 for height in heights] == list(range(8))  # one of each eighth
    table = whole(paths.BENCHMARK)
    stored = {row["face_id"]: row for row in table.filter(pc.field("split") == "probe").to_pylist()}
    for key, image in captured.items():
        assert (image == faces.decode(stored[key]["image"])).all()


def test_sharp_faces_are_validation_portraits_of_different_people_shrunk_to_native_heights():
    rows = made()
    versions = by_face(rows)
    native = [of["captured"].shape[0] for (shown, _), of in versions.items() if shown == "native"]
    sharp = {key: of for (shown, key), of in versions.items() if shown == "sharp"}
    stored = {row["face_id"]: row for row in whole(paths.AUXILIARY).to_pylist()}
    assert {stored[key]["split"] for key in sharp} == {"validation"}
    assert len({stored[key]["identity"] for key in sharp}) == 4
    assert [of["captured"].shape[0] for of in sharp.values()] == native[1::2]
    for of in sharp.values():
        assert (of["captured"] == bicubic_to_height(of["original"], of["captured"].shape[0])).all()


def test_the_same_seed_shows_the_same_faces_and_another_others():
    first = made()
    assert made() == first
    write_params(methods={"random": {}}, super_resolution={"vdsr": {}}, threads=1, seed=4)
    assert {key for key in by_face(made())} != {key for key in by_face(first)}


def test_without_validation_faces_any_portraits_are_shown():
    table = whole(paths.AUXILIARY)
    write(table.filter(pc.field("split") == "train").to_pylist(), paths.AUXILIARY)
    assert sum(shown == "sharp" for shown, _ in by_face(made())) == 4


def test_a_benchmark_without_probes_and_a_missing_network_are_named():
    table = whole(paths.BENCHMARK)
    write(table.filter(pc.field("split") == "gallery").to_pylist(), paths.BENCHMARK)
    with pytest.raises(BenchmarkError, match="no probe face"):
        visualize.run()
    (paths.super_resolver("vdsr") / "model.safetensors").unlink()
    with pytest.raises(TrainingError, match="vdsr"):
        visualize.run()


def test_without_an_sr_network_nothing_is_enlarged():
    write_params(methods={"random": {}}, super_resolution={}, threads=1)
    assert made() == []


def test_without_a_predicted_quality_nobody_is_asked_where_it_looks():
    visualize.run()
    assert len(whole(paths.ACTIVATIONS)) == 0


def test_where_models_look_is_shown_of_probes_with_a_mate():
    judge = Architecture(**(PLAIN.model_dump() | {"quality": {"name": "recognizability", "dropout": 0.4}}))
    write_model(paths.model("random"), Model(Embedder(judge).eval(), Facts(quality="recognizability")))
    visualize.run()
    rows = whole(paths.ACTIVATIONS).to_pylist()
    mates = {row["identity"] for row in whole(paths.BENCHMARK).to_pylist() if row["split"] == "gallery"}
    assert rows and {row["identity"] for row in rows} <= mates
    assert [row["source"] for row in rows[:2]] == ["random", "csri"]
    assert all(faces.decode(row["image"]).shape == (16, 16, 3) for row in rows)


def test_an_activation_map_is_grad_cam_s():
    """Selvaraju et al., eq 1 and 2: channels weighted by their mean gradient, what is below 0 cut off; stretched over
    the face and scaled to 0..1."""
    torch.manual_seed(1)
    embedder = Embedder(PLAIN.model_copy(update={"input_size": 64})).eval()
    image, reference = torch.rand(1, 3, 64, 64), torch.randn(8)
    features = embedder.feature_map(image).detach().requires_grad_()
    torch.nn.functional.cosine_similarity(embedder.embedding_of(features)[0], reference, dim=0).backward()
    weighted = (features.grad.mean((2, 3), keepdim=True) * features).sum(1)[0].clamp(min=0).detach().numpy()
    expected = cv2.resize(weighted, (64, 64))
    assert weighted.shape == (4, 4) and weighted.max() > 0
    assert np.allclose(activation_map(embedder, image, reference), expected / expected.max(), atol=1e-3)
