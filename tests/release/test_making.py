"""`lrfr release make`, `verify` and `publish`: a release is whole, signed and right, or it is not there."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from huggingface_hub import ModelCard
from typer.testing import CliRunner

from lrfr import cli
from lrfr.errors import ReleaseError
from lrfr.files import read_json, write_json
from lrfr.nn.model_file import Facts, Model, read_model, write_model
from lrfr.release import layout, sample
from lrfr.release.card import PARTS, check_card
from lrfr.release.folders import new_folder
from lrfr.release.making import make
from lrfr.release.manifest import Manifest, read_manifest, write_manifest
from lrfr.release.provenance import folder_md5
from lrfr.release.publishing import publish
from lrfr.release.signing import Signer
from lrfr.release.trial import verify
from lrfr.release.versions import check_raised
from lrfr.stages import package
from tests.release.keys import certified, key_pair
from tests.release.project import NAME, PACKAGE, TRAINED, commit, git, landmark_network, parameters, write_best
from tests.release.project import write_project as write_whole_project

MADE = Path("signed") / NAME / "v0.1.0"


@pytest.fixture(scope="module")
def packaged(tmp_path_factory):
    """A project whose model is packaged and committed, and the keys in it; to be copied."""
    folder, before = tmp_path_factory.mktemp("packaged"), Path.cwd()
    os.chdir(folder)
    try:
        write_whole_project()
        write_best(Facts(presentation="arcface_112", trained=TRAINED), landmark_network())
        package.run()
        key_pair(folder)
        commit()
        make(Path("release.key"))
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def released(packaged, tmp_path, monkeypatch):
    """The current folder: that project, in which v0.1.0 is made."""
    monkeypatch.chdir(shutil.copytree(packaged, tmp_path / "project"))
    return MADE


@pytest.fixture
def unmade(released):
    """The same, before that."""
    shutil.rmtree("signed")


def lrfr(*arguments):
    return CliRunner().invoke(cli.app, ["release", *map(str, arguments)])


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def resigned(folder: Path) -> None:
    """As the publisher would sign a release that went wrong."""
    told = read_manifest(folder / layout.MANIFEST)
    write_manifest(folder, told.name, told.version)
    Signer(Path("release.key")).sign(folder)


def test_a_release_has_every_part_and_is_verified(released):
    files = {value for name, value in vars(layout).items() if name.isupper() and name not in ("NAME", "VERSION")}
    files -= {layout.CALIBRATION}
    assert {path.relative_to(released).as_posix() for path in released.rglob("*") if path.is_file()} >= files
    told = read_json(released / layout.PROVENANCE)
    assert told["commit"] == git("rev-parse", "HEAD").strip()
    assert told["dvc"]["outs"] == {PACKAGE.as_posix(): folder_md5(PACKAGE)}
    assert told["environment"]["packages"]["torch"] == torch.__version__.partition("+")[0]
    assert (released / layout.CONFIG).read_bytes() == Path("params.yaml").read_bytes()
    assert git("status", "--porcelain") == ""
    for what in (released, "v0.1.0"):
        done = lrfr("verify", what, "--key", "release.pub")
        assert done.exit_code == 0, done.output
        assert "signed by release.pub" in done.output and "bit for bit" in done.output


def test_hugging_face_reads_the_card(released):
    card = ModelCard.load(released / layout.CARD)
    assert (card.data.license, card.data.library_name) == ("apache-2.0", "lrfr")
    figures = {(result.dataset_name, result.metric_type): result.metric_value for result in card.data.eval_results}
    told = read_json(released / layout.FACTS)["results"]
    assert figures["generated-tiny-faces, with distractors", "rank1"] == told["distractors"]["rank1"]
    for part in PARTS:
        assert f"\n## {part}\n" in card.text


@pytest.mark.parametrize("part", [*PARTS, "license", "model-index", "front matter", "card"])
def test_a_card_without_a_required_part_is_refused(part, unmade):
    path = PACKAGE / layout.CARD
    text = path.read_text()
    if part == "card":
        path.unlink()
    elif part == "front matter":
        path.write_text(text.replace("license:", "license: ["))
    elif part in PARTS:
        head, _, rest = text.partition(f"\n## {part}\n")
        path.write_text(f"{head}\n## {part}\n\n## {rest.partition(chr(10) + '## ')[2]}")
    else:
        path.write_text(text.replace(f"\n{part}:", "\nx:"))
    commit("a card that somebody cut")
    with pytest.raises(ReleaseError, match=r"README\.md"):
        make(Path("release.key"))
    assert not list(Path().glob("signed/*/*"))


def change_params(**changes):
    parameters(**changes)
    git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qam", "other parameters")


MISTAKES = {
    "no key": (lambda: None, None, "there is no key(.|\n)*openssl ecparam"),
    "no package": (lambda: shutil.rmtree(PACKAGE), "release.key", "no package(.|\n)*dvc repro package"),
    "another version": (lambda: change_params(version="v0.2.0"), "release.key", r"asks for (.|\n)*v0\.2\.0"),
    "another run": (lambda: change_params(run="floor"), "release.key", "asks for (.|\n)*floor"),
    "an uncommitted change": (
        lambda: Path("params.yaml").write_text(Path("params.yaml").read_text() + "# mine\n"),
        "release.key",
        r"not as committed(.|\n)*params\.yaml",
    ),
    "a changed package": (
        lambda: (PACKAGE / layout.METRICS).write_text("{}\n"),
        "release.key",
        "not the one that DVC knows(.|\n)*dvc repro",
    ),
    "no lock of DVC's": (
        lambda: (git("rm", "-q", "dvc.lock"), git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "x")),
        "release.key",
        "lock is missing",
    ),
    "no commit": (lambda: shutil.rmtree(".git"), "release.key", "of which commit"),
    "a registered version": (
        lambda: git("-c", "user.name=t", "-c", "user.email=t@t", "tag", "-am", "x", f"{NAME}@v0.1.0"),
        "release.key",
        r"there already(.|\n)*raise release\.version",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_cannot_be_released_is_told_and_leaves_nothing(mistake, unmade):
    change, key, message = MISTAKES[mistake]
    change()
    with pytest.raises(ReleaseError, match=message):
        make(key and Path(key))
    assert not list(Path().glob("signed/*/*")) and not list(Path().glob("signed/*/.*"))


def test_a_release_is_never_made_twice(released):
    with pytest.raises(ReleaseError, match=r"v0\.1\.0 is there already(.|\n)*raise release\.version"):
        make(Path("release.key"))


def test_a_release_by_a_certificate(unmade):
    secret, certificate, root = certified(Path("authority"))
    folder = make(secret, certificate)
    assert verify(str(folder), root).version == "v0.1.0"
    with pytest.raises(ReleaseError, match="not signed by this key"):
        verify(str(folder), Path("release.pub"))


def test_other_weights_ask_for_more_than_a_patch(released):
    write_best(Facts(presentation="arcface_112", trained=TRAINED), landmark_network(), seed=3)
    for version, right in (("v0.1.1", False), ("v0.2.0", True)):
        parameters(version=version)
        package.run()
        commit(version)
        if right:
            assert verify(str(make(Path("release.key"))), Path("release.pub")).version == version
        else:
            with pytest.raises(
                ReleaseError, match=r"weights changed(.|\n)*since v0\.1\.0, and v0\.1\.1 is below v0\.2\.0"
            ):
                make(Path("release.key"))
            assert names(released.parent) == ["v0.1.0"]
    with pytest.raises(ReleaseError, match=r"no release (.|\n)*known: v0\.1\.0, v0\.2\.0"):
        verify("v0.3.0", Path("release.pub"))


SAME, WEIGHTS, CONTRACT = "the same", "other weights", "another contract"


@pytest.mark.parametrize(
    ("before", "what", "least"),
    [
        ("v1.2.3", SAME, "v1.2.4"),
        ("v1.2.3", WEIGHTS, "v1.3.0"),
        ("v1.2.3", CONTRACT, "v2.0.0"),
        ("v0.2.3", SAME, "v0.2.4"),
        ("v0.2.3", WEIGHTS, "v0.3.0"),
        ("v0.2.3", CONTRACT, "v0.3.0"),
        ("v9.9.9", WEIGHTS, "v9.10.0"),
    ],
)
def test_the_rules_of_the_version_number(before, what, least):
    def change(version):
        files = {layout.MODEL: "b" if what == WEIGHTS else "a"}
        contracts = {"size": [16, 16]}, {"size": [24, 24] if what == CONTRACT else [16, 16]}
        check_raised(Manifest(NAME, version, files), Manifest(NAME, before, {layout.MODEL: "a"}), *contracts)

    major, minor, patch = map(int, least[1:].split("."))
    for high_enough in (least, f"v{major}.{minor}.{patch + 1}", f"v{major}.{minor + 10}.0", f"v{major + 1}.0.0"):
        change(high_enough)
    for too_low in (before, "v0.0.1", f"v{major}.{minor}.{patch - 1}" if patch else f"v{major}.{minor - 1}.99"):
        if minor or patch:
            with pytest.raises(ReleaseError, match=f"{before}, and {too_low} is below {least}"):
                change(too_low)


def test_a_model_that_is_not_the_packaged_one_is_refused(released, monkeypatch):
    """Signed by the right key, and wrong all the same."""
    model = read_model(released)
    with torch.no_grad():
        next(model.embedder.parameters()).mul_(1 + 1e-6)
    write_model(released, model)
    resigned(released)
    with pytest.raises(ReleaseError, match=r"on the same kind of machine(.|\n)*differ by"):
        verify(str(released), Path("release.pub"))
    elsewhere = sample.kind_of_machine() | {"processor": "another one"}
    monkeypatch.setattr(sample, "kind_of_machine", lambda: elsewhere)
    said = []
    verify(str(released), Path("release.pub"), said.append)
    assert "on another machine" in said[1]
    write_model(released, Model(torch.nn.Module.apply(model.embedder, perturb), model.facts, landmarks=model.landmarks))
    resigned(released)
    with pytest.raises(ReleaseError, match=r"on another kind of machine(.|\n)*differ by"):
        verify(str(released), Path("release.pub"))


def perturb(module):
    if isinstance(module, torch.nn.Conv2d):
        torch.manual_seed(0)
        module.weight.data.add_(0.05 * torch.randn_like(module.weight))


def test_figures_that_are_not_those_of_the_sample_are_refused(released):
    told = read_json(released / layout.SAMPLE_FIGURES)
    told["figures"]["rank1"] += 0.01
    write_json(released / layout.SAMPLE_FIGURES, told)
    resigned(released)
    with pytest.raises(ReleaseError, match=r"its figures by 0\.010"):
        verify(str(released), Path("release.pub"))


@pytest.mark.parametrize("file", [layout.MODEL_ONNX, layout.LANDMARKS_ONNX])
def test_an_onnx_file_of_another_network_is_refused(file, released):
    import onnx

    graph = onnx.load(str(released / file))
    weights = graph.graph.initializer[0]
    weights.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(weights) * np.float32(1.5), weights.name))
    onnx.save(graph, str(released / file))
    resigned(released)
    with pytest.raises(ReleaseError, match=f"{file} does not compute what the weights do"):
        verify(str(released), Path("release.pub"))


def test_tampering_is_told_by_the_command_in_one_message(released):
    with (released / layout.MODEL).open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"?")
    done = lrfr("verify", "v0.1.0", "--key", "release.pub")
    assert done.exit_code == 1 and "Traceback" not in done.output
    assert done.output.startswith("error: model.safetensors is not the file that was released")
    assert lrfr("publish", "v0.1.0", ".", "--key", "release.pub").exit_code == 1 and not Path(NAME).exists()
    assert "there is none" in lrfr("verify", "v0.1.0").output
    assert "no such folder" in lrfr("verify", "nowhere", "--key", "release.pub").output


def test_a_release_that_dvc_keeps_elsewhere_is_told_how_to_get(released):
    shutil.rmtree(released)
    released.with_name("v0.1.0.dvc").write_text("outs: []\n")
    with pytest.raises(ReleaseError, match=r"is not here(.|\n)*dvc pull signed/tiny-face-embedder/v0\.1\.0\.dvc"):
        verify("v0.1.0", Path("release.pub"))
    released.with_name("v0.1.0.dvc").unlink()
    git("-c", "user.name=t", "-c", "user.email=t@t", "tag", "-am", "x", f"{NAME}@v0.1.0")
    with pytest.raises(ReleaseError, match=rf"dvc artifacts get \. {NAME} --rev v0\.1\.0"):
        verify("v0.1.0", Path("release.pub"))


def test_a_release_is_published_once_and_whole(released, tmp_path):
    place = tmp_path / "place"
    with pytest.raises(ReleaseError, match="the place is away"):
        publish("v0.1.0", place, Path("release.pub"))
    left = place / NAME / ".v0.1.0.unfinished" / "half"  # by a kill
    left.mkdir(parents=True)
    (left / "file").write_text("half")
    published = publish("v0.1.0", place, Path("release.pub"))
    assert published == place / NAME / "v0.1.0" and names(published.parent) == ["v0.1.0"]
    assert verify(str(published), Path("release.pub")).tag == f"{NAME}@v0.1.0"
    before = {path: path.read_bytes() for path in published.rglob("*") if path.is_file()}
    with pytest.raises(ReleaseError, match=r"published already(.|\n)*raise release\.version"):
        publish("v0.1.0", place, Path("release.pub"))
    assert {path: path.read_bytes() for path in published.rglob("*") if path.is_file()} == before


def test_a_new_folder_is_whole_or_not_there(tmp_path):
    place = tmp_path / "deep" / "new"
    with pytest.raises(ZeroDivisionError), new_folder(place) as folder:
        (folder / "half").write_text("half")
        raise ZeroDivisionError
    assert not list(place.parent.iterdir())
    with new_folder(place) as folder:
        (folder / "whole").write_text("whole")
        with pytest.raises(ReleaseError, match="another process"), new_folder(place):
            pass
        assert (folder / "whole").is_file() and not place.exists()
    assert names(place.parent) == ["new"] and names(place) == ["whole"]
    with pytest.raises(ReleaseError, match="there already"), new_folder(place):
        pass
    assert names(place.parent) == ["new"]


def test_a_card_of_somebody_s_own_is_read_without_harm(tmp_path):
    for text in ("", "---\n", "---\n- a\n---\n", "\x00", "---\nlicense: !!python/object/apply:os.system [ls]\n---\n"):
        (tmp_path / "README.md").write_text(text)
        with pytest.raises(ReleaseError):
            check_card(tmp_path / "README.md")


def test_the_sample_s_figures_are_json_for_anybody(released):
    told = json.loads((released / layout.SAMPLE_FIGURES).read_text())
    assert {"machine", "seed", "threads", "figures"} == told.keys() and 0 <= told["figures"]["rank1"] <= 1
