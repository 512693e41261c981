"""train-sr and apply-sr on a tiny project."""

import cv2
import numpy as np
import pytest
import torch

from lrfr import faces, paths
from lrfr.core.fidelity import psnr
from lrfr.errors import ParameterError, TrainingError
from lrfr.files import read_json
from lrfr.nn.resolution import at_resolution, to_size
from lrfr.nn.super_resolution.resolver import SuperResolver, read_resolver, write_resolver
from lrfr.nn.super_resolution.settings import SuperResolution
from lrfr.stages import apply_sr, train_sr
from tests.face_tables import face, whole, write_params, write_split, write_test_set

TRAINING = {
    "epochs": 1, "batch_size": 8, "optimizer": "adam", "learning_rate": 1e-3, "weight_decay": 0.0,
    "schedule": "cosine", "clip_norm": None, "precision": "fp32",
}  # fmt: skip
TINY = {"network": "srcnn", "width": 0.125, "size": 24, "sides": [8, 12], "training": TRAINING}
SETS = {
    "surveillance": {"source": "generated_surveillance", "root": "."},
    "templates": {"source": "generated_templates", "root": "."},
}


def parameters(asked: tuple[str, ...] = ("tiny",), **changed: object) -> None:
    write_params(
        super_resolution={"tiny": TINY | changed},
        evaluate={"bootstrap": 10, "super_resolution": list(asked)},
        evaluation_sets=SETS,
        threads=1,
    )


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    parameters()
    write_split()
    for name, protocol in (("surveillance", "survface"), ("templates", "ijb")):
        write_test_set(name, [face(np.random.default_rng(5), "t", 20)], protocol)


def test_a_network_is_trained_and_measured_against_bicubic_enlargement() -> None:
    train_sr.run("tiny")
    resolver = read_resolver(paths.super_resolver("tiny"))
    assert resolver.size == (24, 24)
    found = read_json(paths.super_resolution_metrics("tiny"))
    assert (found["network"], found["size"], found["n_faces"]) == ("srcnn", 24, 6)
    assert set(found["sides"]) == {"8", "12"}
    originals = torch.cat(
        [
            to_size(
                torch.from_numpy(faces.decode(row["image"]).transpose(2, 0, 1).copy())[None] / 255, (24, 24), "bicubic"
            )
            for row in whole(paths.AUXILIARY).to_pylist()
            if row["split"] == "validation"
        ]
    )
    for side, figures in found["sides"].items():
        enlarged = at_resolution(originals, int(side), "bicubic", "bicubic")
        with torch.inference_mode():
            made = resolver(enlarged)
        assert figures["psnr"] == pytest.approx(psnr(made.numpy(), originals.numpy()).mean(), abs=1e-3)
        assert figures["psnr_bicubic"] == pytest.approx(psnr(enlarged.numpy(), originals.numpy()).mean(), abs=1e-3)
        assert figures["psnr"] != figures["psnr_bicubic"] and 0 < figures["ssim"] < 1
    header = paths.training_curve("super_resolution", "tiny").read_text().splitlines()[0].split(",")
    assert {"step", "super_resolution", "validation_super_resolution"} <= set(header)
    assert not paths.checkpoint("super_resolution", "tiny").exists()


def test_equal_parameters_give_equal_bytes() -> None:
    made = (paths.super_resolver("tiny") / "model.safetensors", paths.super_resolution_metrics("tiny"))
    train_sr.run("tiny")
    first = [path.read_bytes() for path in made]
    train_sr.run("tiny")
    assert [path.read_bytes() for path in made] == first


def test_without_validation_faces_nothing_is_measured() -> None:
    write_split(lambda benchmark, auxiliary: [row.update(split="train") for row in auxiliary])
    train_sr.run("tiny")
    assert read_json(paths.super_resolution_metrics("tiny"))["sides"] == {}


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"sides": [8, 24]}, "smaller than the size"),
        ({"sides": []}, "sides"),
        ({"network": "srgan"}, "no super-resolution network 'srgan'"),
        ({"training": TRAINING | {"validation_sides": [8]}}, "leave validation_sides out(.|\n)*super_resolution.tiny"),
        ({"training": TRAINING | {"tight_crops": 0.5}}, "leave training.tight_crops out"),
        ({"depth": 3}, "unknown parameter 'depth'"),
    ],
)
def test_what_cannot_be_trained_is_refused(changed: dict, complaint: str) -> None:
    parameters(**changed)
    with pytest.raises(ParameterError, match=complaint):
        train_sr.run("tiny")


@pytest.mark.parametrize("stage", [train_sr, apply_sr])
def test_an_unknown_network_is_refused_with_the_known_ones(stage) -> None:
    with pytest.raises(ParameterError, match=r"unknown super-resolution network 'tine'(.|\n)*did you mean 'tiny'"):
        stage.run("tine")


def write_test_sets() -> SuperResolver:
    """The sets, and an untrained network that changes something."""
    rng = np.random.default_rng(5)
    rows = [face(rng, f"s {number}", height) for number, height in enumerate([10, 24, 31, 20, 30, 18] * 24)]
    rows[3] |= {"attributes": [("missing", "unreadable")], "image": b"not an image"}
    rows[5] |= {"landmarks": None}
    write_test_set("surveillance", rows, "survface")
    torch.manual_seed(0)
    resolver = SuperResolver(SuperResolution(network="srcnn", width=0.125), (24, 24))
    for parameter in resolver.parameters():
        torch.nn.init.normal_(parameter, 0.0, 0.05)
    write_resolver(paths.super_resolver("tiny"), resolver)
    return resolver.eval()


def test_faces_that_are_tested_on_go_through_the_network(capsys: pytest.CaptureFixture[str]) -> None:
    resolver = write_test_sets()
    apply_sr.run("tiny")
    assert not paths.super_resolved("tiny", "templates").exists()  # its protocol does not ask
    for test_set, source in {"benchmark": paths.BENCHMARK, "surveillance": paths.test_set("surveillance")}.items():
        before = [row for row in whole(source).to_pylist() if row["split"] != "train"]
        after = whole(paths.super_resolved("tiny", test_set)).to_pylist()
        assert [row["face_id"] for row in after] == [row["face_id"] for row in before]
        for old, new in zip(before, after, strict=True):
            large, missing = max(old["height"], old["width"]) > 24, dict(old["attributes"]).get("missing")
            if large or missing:
                added = [] if missing else [("super_resolved", "no")]
                assert new == old | {"attributes": old["attributes"] + added}
                continue
            pixels = torch.from_numpy(faces.decode(old["image"]).transpose(2, 0, 1).copy())[None] / 255
            with torch.inference_mode():
                square = resolver(to_size(pixels, (24, 24), "bicubic"))[0].permute(1, 2, 0)
            # The shorter side is the network's, the aspect the captured face's
            height, width = new["height"], new["width"]
            assert min(height, width) == 24
            assert height / width == pytest.approx(old["height"] / old["width"], abs=0.03)
            image = faces.decode(new["image"])
            square = square.mul(255).round().byte().numpy()
            expected = cv2.resize(square, (width, height), interpolation=cv2.INTER_CUBIC)
            assert image.shape == expected.shape
            assert np.abs(image.astype(int) - expected).max() <= 2  # of other batches, rounded otherwise
            if old["landmarks"]:
                scale = np.tile([width / old["width"], height / old["height"]], 5)
                assert np.allclose(new["landmarks"], np.array(old["landmarks"]) * scale, atol=1e-3)
            kept = set(old) - {"image", "width", "height", "landmarks"}
            assert {key: new[key] for key in kept} == {key: old[key] for key in kept}
    assert "surveillance: 48 of 144 faces are larger than 24 x 24 px and stay as they are" in capsys.readouterr().out


def test_a_network_that_nobody_asks_for_leaves_an_empty_folder(capsys: pytest.CaptureFixture[str]) -> None:
    parameters(asked=())
    apply_sr.run("tiny")
    assert list(paths.super_resolved("tiny", "any").parent.iterdir()) == []
    assert "no test set asks for 'tiny'" in capsys.readouterr().out


def test_a_network_that_is_not_there_is_named() -> None:
    write_test_sets()
    (paths.super_resolver("tiny") / "model.safetensors").unlink()
    with pytest.raises(TrainingError, match="super_resolution/tiny"):
        apply_sr.run("tiny")
