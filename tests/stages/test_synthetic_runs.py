"""Runs that learn from synthetic faces: those of a table or made on the way, by a formula or by what has learnt."""

import numpy as np
import pytest
import torch
import yaml

from lrfr import faces, paths
from lrfr.config import read_params
from lrfr.errors import FaceTableError, ParameterError, ResultError
from lrfr.faces import LANDMARK_SCHEMA, read_table
from lrfr.files import read_json, write_json
from lrfr.methods import read_run
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.landmarks.network import CNN6
from lrfr.nn.model_file import FILE, Facts, Model, read_facts, read_model, write_model
from lrfr.stages import check, code, finetune, synthesize, train_synthesizer, training_sets
from tests.face_tables import whole, write_params, write_split
from tests.landmark_tables import write_landmarks
from tests.nn.small_training import DISCRIMINATOR, training

SIZE = 32
HEAD = {"name": "ArcFace", "scale": 16.0, "margin": 0.2}
ARCHITECTURE = {"backbone": "lrfr_ir18", "width": 0.125, "embedding_dim": 8, "input_size": SIZE, "dropout": 0.0}
ADAM = {"optimizer": "adam", "learning_rate": 2e-4, "betas": [0.5, 0.999], "weight_decay": 0.0, "schedule": "constant"}
LEARNED = {
    "high_to_low": {
        "backbone": "main", "size": SIZE, "width": 0.05,
        "training": ADAM | {"epochs": 1, "batch_size": 8, "clip_norm": None, "precision": "fp32",
                            "optimizers": {"discriminator": ADAM}},
    }
}  # fmt: skip
PHOTOGRAPHIC = {"blur": [0.2, 0.9], "noise": [0.005, 0.03], "jpeg_quality": [45, 95]}
SMALL = {"synthesizer": "downsample", "share": 1.0, "heights": [8, 12]}
BY_LEARNED = {"synthesizer": "high_to_low", "share": 1.0, "heights": [8, 12]}


def section(**changes):
    return training(**{"epochs": 1, **changes}).model_dump(exclude_unset=True)


def write(presentation="as_cropped", learned=LEARNED, **runs):
    runs = {name: {"backbone": "main", **values} for name, values in {"random": {"method": "random"}, **runs}.items()}
    backbones = {"main": {"presentation": presentation, "architecture": ARCHITECTURE, "head": HEAD,
                          "training": section()}}  # fmt: skip
    release = {"run": next(reversed(runs)), "name": "tiny-face-embedder", "version": "v0.1.0"}
    write_params(
        threads=1, synthesizers={"downsample": {}, "photographic": PHOTOGRAPHIC}, learned_synthesizers=learned,
        backbones=backbones, methods=runs, release=release,
    )  # fmt: skip
    code.run()
    torch.manual_seed(0)
    model = Model(Embedder(Architecture(**ARCHITECTURE)).eval(), Facts(presentation=presentation, head=HEAD),
                  torch.randn(6, 8), CNN6(0.05) if presentation == "arcface_112" else None)  # fmt: skip
    write_model(paths.pretrained("main"), model)


def from_table(name="downsample", **changes):
    return {"method": "baseline", "head": HEAD, "synthesizer": name, "synthetic": section()} | changes


def on_the_way(small, **changes):
    return {"method": "baseline", "head": HEAD, "synthetic": section(low_resolution=small)} | changes


def adapted(**changes):
    discriminator = {"optimizers": {"discriminator": DISCRIMINATOR}}
    return {"method": "ran", "lr_model": section(), "training": section(**discriminator)} | changes


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_split()
    write_landmarks()


def weights(run):
    return (paths.model(run) / FILE).read_bytes()


def test_a_run_learns_from_a_table_and_says_so():
    write(mine=from_table())
    synthesize.run("downsample")
    training_sets.run()
    finetune.run("mine")
    (step,) = read_facts(paths.model("mine")).trained
    assert (step.step, step.faces) == ("synthetic", {"synthetic (downsample)": 24})


def test_it_depends_on_its_table_and_no_other_run_does():
    write(mine=from_table(), other=from_table("photographic"), native={"method": "baseline", "head": HEAD,
                                                                      "training": section()})  # fmt: skip
    for name in ("downsample", "photographic"):
        synthesize.run(name)
    training_sets.run()
    first = {name: read_json(paths.training_set(name)) for name in ("mine", "other", "native")}
    table = whole(paths.synthetic("downsample")).to_pylist()
    table[0]["image"] = faces.encode_png(faces.decode(table[0]["image"]) // 2)
    faces.write_face_rows(table, paths.synthetic("downsample"))
    training_sets.run()
    second = {name: read_json(paths.training_set(name)) for name in first}
    assert [name for name in first if first[name] != second[name]] == ["mine"]
    assert set(first["native"]) == {"native"}


def test_synthetic_faces_have_the_landmarks_of_their_originals_shrunk():
    write(mine=from_table())
    synthesize.run("downsample")
    training_sets.run()
    located = read_table(paths.synthetic_landmarks("downsample"), LANDMARK_SCHEMA).to_pylist()
    small, sharp = (whole(path).to_pylist() for path in (paths.synthetic("downsample"), paths.AUXILIARY))
    for points, low, high in zip(located, small, sharp, strict=True):
        assert points["face_id"] == low["face_id"]
        scale = np.tile([low["width"] / high["width"], low["height"] / high["height"]], 5)
        np.testing.assert_allclose(points["landmarks"], np.array(high["landmarks"]) * scale, rtol=1e-5)


def test_a_table_of_other_faces_is_refused():
    write(mine=from_table())
    synthesize.run("downsample")
    write_split(lambda benchmark, auxiliary: auxiliary.reverse())
    with pytest.raises(FaceTableError, match=r"not made of the auxiliary faces, row by row(.|\n)*dvc repro"):
        training_sets.run()


def test_faces_are_made_on_the_way_too():
    first = {"method": "baseline", "head": HEAD, "auxiliary": section(low_resolution=SMALL), "training": section()}
    write(mine=on_the_way(SMALL), auxiliary=first)
    training_sets.run()
    finetune.run("mine")
    assert read_facts(paths.model("mine")).trained[0].faces == {"synthetic": 24}
    assert set(read_json(paths.training_set("mine"))) == {"native"}


def test_what_has_learnt_it_makes_them_on_the_way():
    write(mine=on_the_way(BY_LEARNED))
    train_synthesizer.run("high_to_low")
    training_sets.run()
    assert set(read_json(paths.training_set("mine"))) == {"native", "synthesizer high_to_low"}
    finetune.run("mine")
    first = weights("mine")
    finetune.run("mine")
    assert weights("mine") == first, "noise has its seeds"
    write(mine=on_the_way(SMALL))
    training_sets.run()
    finetune.run("mine")
    assert weights("mine") != first


def test_what_learnt_from_faces_presented_otherwise_makes_none():
    write(mine=on_the_way(BY_LEARNED))
    train_synthesizer.run("high_to_low")
    write(mine=on_the_way(BY_LEARNED, presentation="arcface_112"))
    training_sets.run()
    with pytest.raises(ParameterError, match=r"has learnt from faces presented as_cropped, and this trains on arcface"):
        finetune.run("mine")


def ranked(name, run="mine"):
    """What rank-synthesizers writes down for a run where the synthesiser of that name has won."""
    settings = {"photographic": PHOTOGRAPHIC}.get(name, {})
    write_json(paths.closest(run), {"synthesizer": name, "settings": settings})


def test_a_run_learns_from_the_table_of_the_closest():
    write(mine=from_table("closest"), other=from_table("photographic"))
    for name in ("downsample", "photographic"):
        synthesize.run(name)
    with pytest.raises(ResultError, match="lrfr rank-synthesizers"):
        training_sets.run()
    ranked("downsample")
    training_sets.run()
    first = {name: read_json(paths.training_set(name)) for name in ("mine", "other")}
    finetune.run("mine")
    assert read_facts(paths.model("mine")).trained[0].faces == {"synthetic (downsample)": 24}
    ranked("photographic")
    training_sets.run()
    second = {name: read_json(paths.training_set(name)) for name in first}
    assert [name for name in first if first[name] != second[name]] == ["mine"]
    assert second["mine"] == second["other"]
    finetune.run("mine")
    assert read_facts(paths.model("mine")).trained[0].faces == {"synthetic (photographic)": 24}


@pytest.mark.parametrize("name", ["downsample", "photographic", "high_to_low"])
def test_the_closest_makes_faces_on_the_way_as_if_the_run_had_named_it(name):
    if name == "high_to_low":
        write()
        train_synthesizer.run(name)
    settings = {"settings": PHOTOGRAPHIC} if name == "photographic" else {}
    trained = []
    for small in (SMALL | settings | {"synthesizer": name}, SMALL | {"synthesizer": "closest"}):
        write(mine=on_the_way(small))
        ranked(name)
        training_sets.run()
        assert ("synthesizer high_to_low" in read_json(paths.training_set("mine"))) == (name == "high_to_low")
        finetune.run("mine")
        trained.append(weights("mine"))
    assert trained[0] == trained[1]


@pytest.mark.parametrize("presentation", ["as_cropped", "arcface_112"])
def test_ran_adapts_to_a_table(presentation):
    write(presentation, mine=adapted(synthesizer="downsample"), low=adapted(synthesizer="downsample", training=None))
    synthesize.run("downsample")
    training_sets.run()
    if presentation == "arcface_112":
        from tests.stages.test_training_stages import write_landmark_network

        params = paths.PARAMS.read_text()
        write_landmark_network()
        paths.PARAMS.write_text(params)
        write_landmarks()
    for name in ("mine", "low"):
        finetune.run(name)
    steps = read_facts(paths.model("mine")).trained
    assert [step.faces for step in steps] == [
        {"synthetic (downsample)": 24}, {"auxiliary": 24, "synthetic (downsample)": 24}
    ]  # fmt: skip
    assert [step.step for step in read_facts(paths.model("low")).trained] == ["lr_model"]
    one, other = (read_model(paths.model(name), with_landmarks=False).embedder.state_dict() for name in ("mine", "low"))
    assert not all(torch.equal(value, other[key]) for key, value in one.items())


def test_ran_adapts_to_faces_made_on_the_way_in_pairs():
    pairs = section(low_resolution=SMALL, optimizers={"discriminator": DISCRIMINATOR})
    write(mine=adapted(lr_model=section(low_resolution=SMALL), training=pairs))
    training_sets.run()
    finetune.run("mine")
    assert read_facts(paths.model("mine")).trained[1].faces == {"auxiliary": 24, "synthetic": 24}


@pytest.mark.parametrize(
    ("run", "complaint"),
    [
        (from_table("downsampel"), r"unknown synthesizer 'downsampel'(.|\n)*did you mean 'downsample'"),
        (from_table(synthetic=section(low_resolution=SMALL)), "twice: by the run's synthesizer and by low_resolution"),
        (on_the_way(None), r"synthetic faces are made by nobody(.|\n)*synthetic.low_resolution"),
        ({"method": "baseline", "head": HEAD, "training": section(), "synthesizer": "downsample"},
         "does not learn from synthetic faces"),
        ({"method": "baseline", "head": HEAD}, "give a training on native faces"),
    ],
)  # fmt: skip
def test_a_run_whose_synthetic_faces_nobody_makes_once_is_refused(run, complaint):
    write(mine=run)
    with pytest.raises(ParameterError, match=complaint):
        read_run("mine", read_params())


def prepared(**changes):
    """A project of which check reads every section."""
    from tests.stages.test_check import dataset

    dataset("src/lrfr/sources/rendering")
    write(**changes)


def test_check_knows_what_learns():
    prepared(mine=on_the_way(BY_LEARNED), ran=adapted(synthesizer="high_to_low"))
    check.run()


def test_check_takes_a_run_by_the_closest_whichever_may_win():
    closest = BY_LEARNED | {"synthesizer": "closest"}
    prepared(mine=on_the_way(closest), table=from_table("closest", presentation="arcface_112"))
    check.run()
    assert read_run("table", read_params()).synthesizer == "closest", "what is ready before the ranking can be read"


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"mine": on_the_way(BY_LEARNED | {"synthesizer": "closest"}, presentation="arcface_112")},
         r"where 'high_to_low' is the closest: (.|\n)*has learnt from faces presented as_cropped"),
        ({"mine": on_the_way(BY_LEARNED | {"synthesizer": "closest", "settings": {"size": 3}})}, "takes no others"),
        ({"learned": {"high_to_low": LEARNED["high_to_low"] | {"backbone": "mian"}}}, "unknown backbone 'mian'"),
        ({"learned": {"mrgan": LEARNED["high_to_low"] | {"sides": [32, 16, 8]}}},
         "refines eyes, nose and mouth at fixed places"),
        ({"learned": {"mrgan": LEARNED["high_to_low"] | {"size": 40, "sides": [32, 16, 8]}},
          "presentation": "arcface_112"}, "takes faces of 32 x 32 px, and size is 40 px"),
        ({"learned": {"downsample": {}}}, "stands under synthesizers and under learned_synthesizers"),
        ({"learned": {"camera": {}}}, r"'camera' learns nothing(.|\n)*under synthesizers"),
        ({"learned": {}, "mine": on_the_way(BY_LEARNED)}, "unknown synthesizer 'high_to_low'"),
        ({"mine": on_the_way(BY_LEARNED | {"settings": {"size": 3}})}, "by its settings under learned_synthesizers"),
        ({"mine": on_the_way(BY_LEARNED, presentation="arcface_112")}, "has learnt from faces presented as_cropped"),
        ({"learned": {"high_to_low": LEARNED["high_to_low"] | {"training": LEARNED["high_to_low"]["training"]
                                                               | {"low_resolution": SMALL}}}},
         "learns from faces as they are"),
        ({"learned": {"high_to_low": LEARNED["high_to_low"] | {"realistic": {"collection": "auxiliary"}}}},
         "auxiliary faces are sharp: say which of them are tiny"),
    ],
)  # fmt: skip
def test_check_tells_what_cannot_learn(changes, complaint):
    with pytest.raises(ParameterError, match=complaint):
        prepared(**changes)
        check.run()


def test_a_backbone_is_made_small_by_no_network_that_needs_one():
    prepared()
    params = read_params().model_dump(by_alias=True)
    params["backbones"]["main"]["training"]["low_resolution"] = BY_LEARNED
    paths.PARAMS.write_text(yaml.safe_dump(params))
    with pytest.raises(ParameterError, match="learns with a backbone, and cannot make faces for one"):
        check.run()
