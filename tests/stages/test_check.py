from copy import deepcopy
from pathlib import Path

import pytest
import yaml

from lrfr import paths
from lrfr.config import read_params
from lrfr.errors import ParameterError, SourceError
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.model_file import Facts, Model
from lrfr.parameter_files import composed
from lrfr.stages import check
from tests.face_tables import write_params
from tests.nn.small_training import DISCRIMINATOR

STUDENT = {
    "method": "tc", "backbone": "main", "teacher": True, "distillation_weight": 0.1, "curriculum": True,
    "smallest_exponent": 3, "largest_exponent": 6,
    "training": {
        "epochs": 1, "batch_size": 8, "learning_rate": 0.001, "momentum": 0.9, "weight_decay": 0.0,
        "schedule": "plateau", "clip_norm": None, "precision": "fp32",
    },
}  # fmt: skip
SMALLER = {"synthesizer": "downsample", "share": 0.5, "heights": [8, 12]}
PROJECT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    dataset("src/lrfr/sources/rendering")  # the root of the generated test sets


def dataset(root):
    """A folder that is not empty."""
    Path(root).mkdir(parents=True, exist_ok=True)
    (Path(root) / "a.jpg").touch()


def test_the_default_parameters_are_right_and_another_run_is_a_few_lines(capsys):
    write_params()
    check.run()
    assert "every section" in capsys.readouterr().out
    params = yaml.safe_load(paths.PARAMS.read_text())
    params["methods"]["student"] = STUDENT
    params["methods"]["nearest"] = params["methods"]["baseline"] | {
        "auxiliary": STUDENT["training"] | {"low_resolution": SMALLER | {"synthesizer": "closest"}}
    }
    paths.PARAMS.write_text(yaml.safe_dump(params))
    check.run()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda p: p["acquire"].update(source="lfv"), "unknown source 'lfv'"),
        (lambda p: p["acquire"].update(source="survface"), "no benchmark can be made from the source 'survface'"),
        (lambda p: p["acquire"]["settings"].update(persons=3), "unknown parameter 'persons'"),
        (lambda p: p["synthesizers"].update(downsampel={}), "unknown synthesizer 'downsampel'"),
        (lambda p: p["synthesizers"]["photographic"].update(blurr=1), "unknown parameter 'blurr'"),
        (lambda p: p["synthesizers"].update(closest={}), "unknown synthesizer 'closest'"),
        (lambda p: p["drift"].update(backbone="mian"), "unknown backbone 'mian'(.|\n)*drift.backbone"),
        (lambda p: p["drift"].update(stop_above=0.4), "greater than or equal to 0.5"),
        (
            lambda p: p["backbones"]["main"]["training"].update(low_resolution=SMALLER | {"synthesizer": "closest"}),
            "only a run can take the closest synthesizer",
        ),
        (
            lambda p: p["methods"]["baseline"]["auxiliary"].update(
                low_resolution=SMALLER | {"synthesizer": "closest", "settings": {"kernel": "area"}}
            ),
            "takes no others",
        ),
        (lambda p: p["backbones"]["main"]["architecture"].update(dropout=2), "less than 1"),
        (lambda p: p["backbones"]["main"]["training"].update(schedule="linear"), "cosine"),
        (lambda p: p["backbones"]["main"].update(presentation="aligned"), "no presentation 'aligned'; known: as_crop"),
        (lambda p: p["methods"].update(x={"method": "tcc", "backbone": "main"}), "unknown method 'tcc'"),
        (lambda p: p["methods"]["csri"].update(trained={"name": "lora"}), "parameter 'rank' is missing"),
        (lambda p: p["methods"]["csri"].update(trained={"name": "lore"}), "did you mean 'lora'"),
        (
            lambda p: p["methods"]["csri"].update(trained={"name": "last_stages", "stages": 7}),
            "the last 7 stages are to be trained, and the backbone has 6: stem",
        ),
        (
            lambda p: p["methods"]["csri"].update(backbone="mian"),
            "unknown backbone 'mian'(.|\n)*methods.csri.backbone(.|\n)*did you mean 'main'",
        ),
        (
            lambda p: p["methods"]["csri"].update(presentation="aligned"),
            "no presentation 'aligned'(.|\n)*methods.csri.presentation",
        ),
        (lambda p: p["methods"]["csri"].pop("method"), "parameter 'method' is missing(.|\n)*methods.csri"),
        (lambda p: p["methods"]["student"].update(distilation_weight=1), "did you mean 'distillation_weight'"),
        (lambda p: p["methods"]["student"].update(distillation_weight=None), "distillation_weight goes with teacher"),
        (lambda p: p["methods"]["student"].update(smallest_exponent=7), "smallest_exponent is above largest_exponent"),
        (lambda p: p["methods"]["student"]["training"].update(warmup_epochs=1), "warmup_epochs belongs to the sched"),
        (lambda p: p["methods"]["csri"].update(learning="jointly"), "'independent', 'joint' or 'csri'|learning"),
        (
            lambda p: p["methods"].update(joint=p["methods"]["csri"] | {"learning": "independent"}),
            "sr_weight goes with learning(.|\n)*methods.joint",
        ),
        (lambda p: p["methods"].update({"a/b": p["methods"]["random"]}), "cannot be the name of a file"),
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
        (lambda p: p["synlr"].update(faces="distractor"), "did you mean 'distractors'"),
        (lambda p: p["methods"].pop("random"), "no run has the method 'random'(.|\n)*params.yaml: methods"),
        (lambda p: p["release"].update(run="joint"), "unknown run 'joint'(.|\n)*params.yaml: release.run"),
        (lambda p: p["curate"].update(unverified="exclud"), "unverified"),
        (lambda p: p["card"].update(version="1"), "card: version"),
        (lambda p: p["evaluate"].update(aligned=True), "unknown parameter 'aligned'"),
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
            lambda p: p["methods"]["csri"]["synthetic"].update(optimizers={"critic": DISCRIMINATOR}),
            "unknown optimizer 'critic'(.|\n)*methods.csri.synthetic.optimizers",
        ),
        (
            lambda p: p["landmarks"]["training"].update(optimizers={"critic": DISCRIMINATOR}),
            "unknown optimizer 'critic'",
        ),
        (
            lambda p: p["methods"]["baseline"]["training"].update(low_resolution=SMALLER),
            "native faces alone(.|\n)*methods.baseline.training.low_resolution",
        ),
        (
            lambda p: p["backbones"]["main"]["architecture"].update(backbone="lrfr_ir19"),
            "unknown backbone 'lrfr_ir19'",
        ),
    ],
)
def test_a_slip_anywhere_is_found_before_anything_runs(change, complaint):
    write_params()
    params = yaml.safe_load(paths.PARAMS.read_text())
    params["methods"]["student"] = deepcopy(STUDENT)
    change(params)
    paths.PARAMS.write_text(yaml.safe_dump(params))
    with pytest.raises(ParameterError, match=complaint):
        check.run()


@pytest.mark.parametrize("file", sorted((PROJECT / "params").glob("*.yaml")), ids=lambda file: file.stem)
def test_the_other_parameter_files_are_right_too(file, monkeypatch):
    """An imported model is taken to be there."""
    dlib = Architecture(backbone="lrfr_dlib_resnet", width=0.1, embedding_dim=16, input_size=150, dropout=0.0)
    imported = Model(Embedder(dlib), Facts(presentation="dlib_150", metric="euclidean"))
    monkeypatch.setattr(check, "read_start", lambda start: imported)
    paths.PARAMS.write_text(composed(file))
    params = read_params()
    for chosen in (params.acquire, *params.acquire.others().values(), *params.evaluation_sets.values()):
        dataset(chosen.root)
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


def project_params(change) -> None:
    """The project's parameters after a change."""
    write_params()
    params = yaml.safe_load(paths.PARAMS.read_text())
    change(params)
    paths.PARAMS.write_text(yaml.safe_dump(params))


REAL = {"source": "photo_folder", "root": "photos"}
FACES = {"source": "identity_folders", "root": "faces"}
CARD = dict.fromkeys(("description", "purpose", "collection", "consent", "demographics"), "Photos of our staff.")


def real(params) -> None:
    """Photos of people who live, and HR faces of others, all that is said of them true."""
    for folder in ("photos", "faces"):
        dataset(folder)
    params["acquire"] = REAL | {"auxiliary": dict(FACES)}
    params["curate"]["simulated_labellers"] = {}
    params["card"] |= CARD | {"name": "staff", "citation": "none", "limits": ["Few people."]}


def test_photos_of_people_who_live_pass(capsys):
    project_params(real)
    check.run()
    assert "every section" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda p: p["acquire"].update(root="none"), r"no dataset at none(.|\n)*acquire\.root"),
        (lambda p: (Path("empty").mkdir(), p["acquire"].update(root="empty")), "the folder empty is empty"),
        (lambda p: p["acquire"]["auxiliary"].update(root="none"), r"no dataset at none(.|\n)*acquire\.auxiliary\.root"),
        (lambda p: p["acquire"].update(root="~/photos"), "home folder"),
        (lambda p: p["acquire"].update(settings={"detections": "found.csv"}), r"acquire\.settings; photos(.|\n)*found"),
        (lambda p: p["acquire"].update(settings={"photos": "2024"}), r"is missing: 2024"),
        (lambda p: p["acquire"].update(settings={"photos": "../x"}), "leads out"),
        (lambda p: p["acquire"].update(auxiliary=REAL), "brings native faces, and none that are auxiliary"),
        (lambda p: p["acquire"].pop("auxiliary"), "brings no auxiliary faces"),
        (lambda p: p["acquire"].update(FACES), "brings no native faces"),
        (lambda p: p["curate"].update(simulated_labellers={"a": {"error_rate": 0.1, "unsure_rate": 0.1}}), "the truth"),
        (lambda p: p["curate"].update(simulated_labellers={"a": {"error_rate": 0.9, "unsure_rate": 0.2}}), "than 1"),
        (lambda p: p["curate"].update(max_side=9), "min_face_native asks for faces of 12 px"),
        (lambda p: p["validate"].update(mean_height=[40, 50]), "mean_height asks for faces of 40 px"),
        (lambda p: p["validate"].update(mean_height=[26, 12]), "lower end"),
        (lambda p: p["detect"].update(thresholds=[0.6, 0.7, 1.5]), "less than or equal to 1"),
        (lambda p: p["backbones"]["main"]["training"].update(epochs=10**30), "less than or equal to 10000"),
        (lambda p: p["backbones"]["main"]["training"].update(learning_rate=1e308), "less than or equal to 100"),
        (lambda p: p["backbones"]["main"]["training"].update(warmup_epochs=11), "ends after 7 epochs"),
        (
            lambda p: p["backbones"]["main"]["training"].update(schedule="step", milestones=[5, 12]),
            "ends after 7 epochs, before its warm-up or last milestone",
        ),
        (
            lambda p: (p["backbones"]["main"].update(presentation="as_cropped"),
                       p["backbones"]["main"]["training"].update(tight_crops=0.2)),
            r"presented as they were cropped(.|\n)*backbones\.main\.training\.tight_crops",
        ),
        (
            lambda p: (p["methods"]["csri"].update(presentation="as_cropped"),
                       p["methods"]["csri"]["training"].update(tight_crops=0.2)),
            r"presented as they were cropped(.|\n)*methods\.csri\.training\.tight_crops",
        ),
        (
            lambda p: p["super_resolution"]["vdsr"]["training"].update(tight_crops=0.2),
            r"leave training\.tight_crops out(.|\n)*super_resolution\.vdsr",
        ),
    ],
)  # fmt: skip
def test_what_would_fail_minutes_later_is_told_now(change, complaint):
    project_params(lambda params: (real(params), change(params)))
    with pytest.raises((ParameterError, SourceError), match=complaint):
        check.run()


@pytest.mark.parametrize(
    "key", ["description", "purpose", "collection", "consent", "demographics", "limits", "citation"]
)
def test_a_card_of_generated_people_is_refused_for_others(key):
    write_params()
    text = yaml.safe_load(paths.PARAMS.read_text())["card"][key]
    project_params(lambda params: (real(params), params["card"].update({key: text})))
    with pytest.raises(ParameterError, match=rf"speaks of generated people(.|\n)*card: {key}"):
        check.run()


@pytest.mark.parametrize(
    "text",
    [
        "None of these persons exists; they do not exist.", "All faces were generated.", "Synthetic identities only.",
        "Rendered portraits.", "Nobody's consent is at stake.", "These individuals never existed.", "No real people.",
        "The subjects in it do not exist.", "Virtual humans.", "The portraits are rendered.",
    ],
)  # fmt: skip
def test_so_is_any_text_that_says_so(text):
    project_params(lambda params: (real(params), params["card"].update(maintenance=text)))
    with pytest.raises(ParameterError, match="speaks of generated people"):
        check.run()


@pytest.mark.parametrize(
    "text",
    ["Part of the low resolution is synthetic.", "Labels do not exist for all groups.", "The card is generated."],
)
def test_a_text_about_something_else_passes(text):
    project_params(lambda params: (real(params), params["card"].update(maintenance=text)))
    check.run()


def test_one_source_of_people_who_live_is_enough():
    def change(params) -> None:
        dataset("faces")
        params["acquire"]["auxiliary"] = FACES

    project_params(change)
    with pytest.raises(ParameterError, match="speaks of generated people"):
        check.run()
