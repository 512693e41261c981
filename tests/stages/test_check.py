import shutil
from pathlib import Path

import pytest
import yaml

from lrfr import paths
from lrfr.errors import ParameterError, SourceError
from lrfr.stages import check
from tests.face_tables import write_params
from tests.nn.small_training import DISCRIMINATOR

SMALLER = {"synthesizer": "downsample", "share": 0.5, "heights": [8, 12]}
PROJECT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("src/lrfr/sources/rendering").mkdir(parents=True)  # the root of the generated test sets


def test_the_default_parameters_are_right(capsys):
    write_params()
    check.run()
    assert "every section" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda p: p["acquire"].update(source="lfv"), "unknown source 'lfv'"),
        (lambda p: p["acquire"].update(source="survface"), "no benchmark can be made from the source 'survface'"),
        (lambda p: p["acquire"]["settings"].update(persons=3), "unknown parameter 'persons'"),
        (lambda p: p["synthesizers"].update(downsampel={}), "unknown synthesizer 'downsampel'"),
        (lambda p: p["synthesizers"]["photographic"].update(blurr=1), "unknown parameter 'blurr'"),
        (lambda p: p["pretrain"]["architecture"].update(dropout=2), "less than 1"),
        (lambda p: p["pretrain"]["training"].update(schedule="linear"), "cosine"),
        (lambda p: p["methods"].update(tcc={}), "unknown method 'tcc'"),
        (lambda p: p["methods"]["tc"].update(distilation_weight=1), "did you mean 'distillation_weight'"),
        (lambda p: p["methods"]["tc"].update(smallest_exponent=7), "smallest_exponent is above largest_exponent"),
        (lambda p: p["methods"]["tc"]["training"].update(warmup_epochs=1), "warmup_epochs belongs to the sched"),
        (lambda p: p["methods"]["rifr"]["head"].update(scale=64), "its head is another one than the pretraining's"),
        (lambda p: p["super_resolution"].update({"a.b": {}}), "cannot be the name of a file"),
        (lambda p: p["evaluation_sets"].clear(), "evaluation_sets"),
        (
            lambda p: p["evaluation_sets"].update(synlr=p["evaluation_sets"]["pairs"]),
            "'synlr' is the name of a test set",
        ),
        (lambda p: p["evaluation_sets"].update({"a/b": p["evaluation_sets"]["pairs"]}), "cannot be the name of a file"),
        (lambda p: p["evaluation_sets"]["pairs"].update(source="lfw"), "the source 'lfw' brings no test set"),
        (lambda p: p["evaluation_sets"]["pairs"].update(source="generated_pair"), "did you mean 'generated_pairs'"),
        (lambda p: p["evaluation_sets"]["pairs"]["settings"].update(image=2), "did you mean 'images'"),
        (lambda p: p["synlr"].update(faces="lineups"), "did you mean 'distractors'"),
        (lambda p: p["compare"].remove("random"), "the method 'random' is missing"),
        (lambda p: p["compare"].append("csry"), "unknown method 'csry'(.|\n)*params.yaml: compare"),
        (lambda p: p["release"].update(method="joint"), "unknown method 'joint'(.|\n)*params.yaml: release.method"),
        (lambda p: p["evaluate"].update(super_resolution=["vdrs"]), "did you mean 'vdsr'"),
        (lambda p: p["landmarks"].update(heigths=[8, 64]), "did you mean 'heights'"),
        (lambda p: p["super_resolution"]["vdsr"].update(network="vdrs"), "super-resolution network 'vdrs'"),
        (lambda p: p["methods"]["csri"]["synthetic"].update(epoch=3), "did you mean 'epochs'"),
        (
            lambda p: p["methods"]["csri"]["training"].update(shares={"auxiliary": 1.0, "natve": 1.0}),
            "unknown collection 'natve'(.|\n)*methods.csri.training.shares(.|\n)*'native'",
        ),
        (
            lambda p: p["methods"]["csri"]["synthetic"].update(shares={"auxiliary": 1.0, "native": 1.0}),
            "unknown collection 'native'(.|\n)*methods.csri.synthetic.shares",
        ),
        (
            lambda p: p["methods"]["joint"]["synthetic"].update(optimizers={"critic": DISCRIMINATOR}),
            "unknown optimizer 'critic'(.|\n)*methods.joint.synthetic.optimizers",
        ),
        (
            lambda p: p["landmarks"]["training"].update(optimizers={"critic": DISCRIMINATOR}),
            "unknown optimizer 'critic'",
        ),
        (
            lambda p: p["methods"]["joint"]["training"].update(low_resolution=SMALLER),
            "native faces alone(.|\n)*methods.joint.training.low_resolution",
        ),
        (lambda p: p["pretrain"]["architecture"].update(backbone="lrfr_ir19"), "unknown backbone 'lrfr_ir19'"),
    ],
)
def test_a_slip_anywhere_is_found_before_anything_runs(change, complaint):
    write_params()
    params = yaml.safe_load(paths.PARAMS.read_text())
    change(params)
    paths.PARAMS.write_text(yaml.safe_dump(params))
    with pytest.raises(ParameterError, match=complaint):
        check.run()


@pytest.mark.parametrize("file", sorted((PROJECT / "params").glob("*.yaml")), ids=lambda file: file.stem)
def test_the_other_parameter_files_are_right_too(file):
    shutil.copy(file, paths.PARAMS)
    for test_set in yaml.safe_load(file.read_text())["evaluation_sets"].values():
        Path(test_set["root"]).parent.mkdir(parents=True, exist_ok=True)
        Path(test_set["root"]).touch()
    check.run()


def test_a_slip_in_a_second_source_is_found():
    write_params()
    params = yaml.safe_load(paths.PARAMS.read_text())
    params["acquire"]["auxiliary"] = {"source": "recordio", "root": "raw/faces", "settings": {"max_image": 5}}
    paths.PARAMS.write_text(yaml.safe_dump(params))
    with pytest.raises(ParameterError, match="did you mean 'max_images'") as error:
        check.run()
    assert "acquire.auxiliary.settings" in str(error.value)


def test_a_test_set_that_is_not_there_is_found_too():
    write_params()
    params = yaml.safe_load(paths.PARAMS.read_text())
    params["evaluation_sets"]["survface"] = {"source": "survface", "root": "raw/QMUL-SurvFace"}
    paths.PARAMS.write_text(yaml.safe_dump(params))
    with pytest.raises(SourceError, match=r"no dataset at raw/QMUL-SurvFace(.|\n)*gallery_img_ID_pairs\.mat"):
        check.run()
