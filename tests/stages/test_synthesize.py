import numpy as np
import pytest
import yaml

from lrfr import faces, paths
from lrfr.errors import BenchmarkError, ImageError, ParameterError
from lrfr.stages import synthesize
from tests.face_tables import split_rows, whole, write_params, write_split

NAMES = ["downsample", "photographic"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_params()
    write_split()


def made(name: str) -> list[dict]:
    synthesize.run(name)
    return whole(paths.synthetic(name)).to_pylist()


@pytest.mark.parametrize("name", NAMES)
def test_every_auxiliary_face_becomes_a_small_one_of_a_native_size(name):
    benchmark, auxiliary = split_rows()
    native = {row["height"] for row in benchmark if row["split"] == "train"}
    small = made(name)
    assert len(small) == len(auxiliary)
    assert {face["height"] for face in small} <= native
    assert len({face["height"] for face in small}) > 3
    for hr, lr in zip(auxiliary, small, strict=True):
        pixels = faces.decode(lr["image"])
        assert pixels.shape == (lr["height"], lr["width"], 3)
        assert lr["width"] == round(hr["width"] * lr["height"] / hr["height"])
        assert (lr["identity"], lr["split"], lr["source"]) == (hr["identity"], hr["split"], hr["source"])
        assert dict(lr["attributes"]) == {"camera": "1", "hr_face_id": hr["face_id"], "synthesizer": name}
        assert lr["face_id"] == faces.face_id(pixels, f"{name}:{hr['face_id']}")
        scale = np.array([lr["width"] / hr["width"], lr["height"] / hr["height"]] * 5)
        np.testing.assert_allclose(lr["landmarks"], np.array(hr["landmarks"]) * scale, rtol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_a_face_does_not_depend_on_the_others_and_the_file_not_on_the_run(name):
    first, whole = made(name), paths.synthetic(name).read_bytes()
    synthesize.run(name)
    assert paths.synthetic(name).read_bytes() == whole
    write_split(lambda benchmark, auxiliary: auxiliary.reverse())
    assert made(name) == first[::-1]


def test_another_seed_gives_other_sizes_and_all_synthesisers_agree_on_them():
    heights = [[face["height"] for face in made(name)] for name in NAMES]
    assert heights[0] == heights[1]
    write_params(seed=8)
    assert [face["height"] for face in made("downsample")] != heights[0]


def test_a_face_without_landmarks_and_attributes_is_made_all_the_same():
    write_split(lambda benchmark, auxiliary: auxiliary[0].update(landmarks=None, attributes=None))
    assert made("downsample")[0]["landmarks"] is None


def test_a_small_portrait_is_not_enlarged():
    write_split(
        lambda benchmark, auxiliary: auxiliary.__setitem__(
            0, auxiliary[0] | {"image": faces.encode_png(np.zeros((8, 6, 3), np.uint8)), "width": 6, "height": 8}
        )
    )
    assert made("downsample")[0]["height"] == 8


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ParameterError, match=r"unknown synthesizer 'downsampel'(.|\n)*did you mean 'downsample'"):
        synthesize.run("downsampel")
    params = yaml.safe_load(paths.PARAMS.read_text())
    write_params(synthesizers=params["synthesizers"] | {"upsample": {}})
    with pytest.raises(ParameterError, match="known: camera, cyclegan, downsample"):
        synthesize.run("upsample")


@pytest.mark.parametrize(
    "wrong",
    [
        {"blur": [0.9, 0.2]},
        {"blur": [0.0, 0.2]},
        {"noise": [0.1, 1.5]},
        {"noise": [0.1]},
        {"jpeg_quality": [0, 50]},
        {"jpeg_quality": [40.5, 50]},
        {"sharpen": 1},
    ],
)
def test_impossible_settings_are_refused(wrong):
    settings = yaml.safe_load(paths.PARAMS.read_text())["synthesizers"]["photographic"]
    write_params(synthesizers={"photographic": settings | wrong})
    with pytest.raises(ParameterError, match=f"synthesizers.photographic: {next(iter(wrong))}"):
        synthesize.run("photographic")


def test_without_native_training_faces_there_is_no_size_to_draw():
    write_split(lambda benchmark, auxiliary: benchmark.clear())
    with pytest.raises(BenchmarkError, match="no native training face"):
        synthesize.run("downsample")


def test_a_broken_portrait_is_named_and_nothing_is_written():
    write_split(lambda benchmark, auxiliary: auxiliary[2].update(image=b"no image"))
    with pytest.raises(ImageError, match=split_rows()[1][2]["face_id"]):
        synthesize.run("downsample")
    assert not paths.synthetic("downsample").exists()
