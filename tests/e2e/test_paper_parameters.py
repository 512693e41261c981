"""The papers' own settings: tiny trees in the published layouts, narrow networks, one update for each training."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from lrfr import paths
from lrfr.config import read_params
from lrfr.core.alignment import TEMPLATE
from lrfr.faces import LANDMARK_SCHEMA, read_table
from lrfr.nn.landmarks.model_file import write_landmark_model
from lrfr.nn.landmarks.network import CNN6
from lrfr.nn.model_file import read_facts
from lrfr.parameter_files import composed
from lrfr.stages import (
    acquire,
    code,
    curate,
    detect,
    finetune,
    locate_landmarks,
    pretrain,
    split,
    synthesize,
    train_synthesizer,
    training_sets,
)
from tests.contract.imports import ROOT
from tests.face_tables import face, write_faces, write_test_set
from tests.sources.layouts import id_list, picture, put
from tests.sources.test_recordio import files, packed

UNRECOGNIZABLE = 3  # faces
IMAGES = range(5)  # of each of two identities; one of them is held out for validation
HR = [picture(100 + number, 60, 50) for number in range(10)]


def tinyface(root: Path) -> None:
    """Two identities that train, two that are tested."""
    names = [f"Training_Set/{person}/{person}_{shot}.jpg" for person in (1, 2) for shot in range(4)]
    probes, gallery = ({f"{person}_{part}.jpg": person for person in (3, 4)} for part in ("p", "g"))
    names += [f"Testing_Set/Probe/{name}" for name in probes]
    names += [f"Testing_Set/Gallery_Match/{name}" for name in gallery] + ["Testing_Set/Gallery_Distractor/d.jpg"]
    for seed, name in enumerate(names):
        put(root / name, picture(seed))
    id_list(root / "Testing_Set/probe_img_ID_pairs.mat", "probe", probes)
    id_list(root / "Testing_Set/gallery_match_img_ID_pairs.mat", "gallery", gallery)


def celeba(root: Path) -> None:
    listed = [f"{number:06}.jpg {1 + number // len(IMAGES)}" for number in range(len(HR))]
    put(root / "identity_CelebA.txt", "\n".join(listed) + "\n")
    for number, image in enumerate(HR):
        put(root / f"img_align_celeba/{number:06}.jpg", image)


def folders(*identities: str) -> Callable[[Path], None]:
    def write(root: Path) -> None:
        for number, image in enumerate(HR):
            put(root / identities[number // len(IMAGES)] / f"{number:04}.jpg", image)

    return write


def pedestrians(root: Path) -> None:
    """As MARS keeps them."""
    for number in range(4):
        put(root / f"bbox_train/0001/0001C1T0001F{number:03}.jpg", picture(200 + number))


def recordio(root: Path) -> None:
    """As insightface packs CASIA-WebFace: aligned, and without landmarks."""
    first = len(HR) + 1
    records = {0: packed([first, first + 2])}
    records |= {number + 1: packed(float(number // len(IMAGES)), image) for number, image in enumerate(HR)}
    records |= {first: packed([1, 6]), first + 1: packed([6, 11])}
    for name, content in files(records, 2).items():
        put(root / name, content)


PREDICTS = ("ri", "ri_resnet50", "row_i", "row_iii")  # the quality; row II has no regression
PACKED = {"source": "recordio", "root": "raw/faces_webface_112x112", "settings": {}}
CASES = [
    pytest.param("paper-csri", celeba, None, id="csri"),
    pytest.param("paper-tc", folders("n000002", "n000003"), None, id="tc"),
    pytest.param("paper-rifr", folders("0000045", "0000099"), None, id="rifr"),
    pytest.param("paper-rifr", recordio, PACKED, id="rifr-packed"),
    pytest.param("paper-ri", folders("n000002", "n000003"), None, id="ri"),
    pytest.param("paper-ran", folders("0000045", "0000099"), None, id="ran"),
]


def trainings(section: Any) -> Iterator[dict]:
    """Every training inside a section."""
    for value in section.values() if isinstance(section, dict) else ():
        if isinstance(value, dict) and "epochs" in value:
            yield value
        yield from trainings(value)


def narrow(params: dict) -> dict:
    """The parameters with small networks and images, and trainings of one update; all else as it is."""
    for chosen in params["backbones"].values():
        chosen["architecture"].update(width=0.125, embedding_dim=8, input_size=40)
    for values in params["methods"].values():
        if "learning" in values:  # of csri
            values["super_resolution"]["width"] = 0.1
        if "coupled" in values:  # of rpcn
            values["width"] = 0.125
        if "unrecognizable" in values:  # of ri
            values["unrecognizable"] = UNRECOGNIZABLE
    for values in params["learned_synthesizers"].values():
        values["size"] = 32 if values["size"] == 64 else 40
        values["width"], values["realistic"]["eye_mouth"] = 0.05, [1, 30]  # faces drawn here are smaller than published
        if "sides" in values:  # of mrgan
            values["sides"] = [40, 20, 10]
    sections = (params["backbones"], params["learned_synthesizers"], params["methods"])
    for training in (training for section in sections for training in trainings(section)):
        training.pop("warmup_epochs", None)
        if training.get("milestones"):
            training["milestones"] = [1]
        training.update(epochs=1, batch_size=4 if training.get("images_per_identity") else 8, precision="fp32")
    params["threads"] = 1
    name, test_set = next(iter(params["evaluation_sets"].items()))
    params["evaluation_sets"] = {name: test_set}
    return params


@pytest.mark.parametrize(("file", "write", "auxiliary"), CASES)
def test_every_run_of_a_paper_trains_on_the_published_layouts(file, write, auxiliary, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    params = narrow(yaml.safe_load(composed(ROOT / "params" / f"{file}.yaml")))
    if auxiliary:
        params["acquire"]["auxiliary"] = auxiliary
    paths.PARAMS.write_text(yaml.safe_dump(params))
    tinyface(Path(params["acquire"]["root"]))
    write(Path(params["acquire"]["auxiliary"]["root"]))
    if "unrecognizable" in params["acquire"]:
        pedestrians(Path(params["acquire"]["unrecognizable"]["root"]))
    (test_set,) = params["evaluation_sets"]
    write_test_set(test_set, [face(np.random.default_rng(5), "elsewhere", 20)], "rifr")
    for stage in (acquire, detect):
        stage.run()
    if "unrecognizable" in params["acquire"]:  # no detector finds a face in what was drawn here
        rng = np.random.default_rng(9)
        found = [face(rng, f"pedestrian {number}", 20, source="reid_folders") for number in range(UNRECOGNIZABLE)]
        write_faces(found, paths.DETECTED_UNRECOGNIZABLE)
    for stage in (curate, split, code):
        stage.run()
    aligns = any(chosen["presentation"] != "as_cropped" for chosen in params["backbones"].values())
    if aligns:
        found = torch.tensor(TEMPLATE.ravel() * 64 / 112, dtype=torch.float32)
        network = CNN6(0.05, found)
        torch.nn.init.zeros_(network.output.weight)
        write_landmark_model(paths.LANDMARKS, network)
        locate_landmarks.run()
        located = read_table(paths.AUXILIARY_LANDMARKS, LANDMARK_SCHEMA)["landmarks"]
        assert len(located) == len(HR) and not located.null_count  # though the source brings none
    chosen = read_params()
    for name in chosen.backbones:
        pretrain.run(name)
    for name in chosen.learned_synthesizers:
        train_synthesizer.run(name)
    for name in {values["synthesizer"] for values in chosen.methods.values() if "synthesizer" in values}:
        synthesize.run(name)
    training_sets.run()
    for name in chosen.methods:
        finetune.run(name)
    for name, values in chosen.methods.items():
        facts = read_facts(paths.model(name))
        backbone = read_facts(paths.pretrained(values["backbone"]))
        assert (facts.quality is not None) == (values["method"] == "crfiqa" or name in PREDICTS)
        assert facts.presentation == backbone.presentation == ("arcface_112" if aligns else "as_cropped")
        assert backbone.head is not None and facts.provenance is None
        assert bool(facts.trained) == (values["method"] != "random")
