from pathlib import Path

import pytest
import yaml

from lrfr.config import read_params
from lrfr.curation import Curate, Split
from lrfr.errors import ParameterError
from lrfr.protocols.options import Evaluate
from lrfr.quality.limits import Validate
from lrfr.stages.release import Release


def changed(tmp_path, change):
    values = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    change(values)
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def test_the_default_parameters_are_read():
    params = read_params()
    assert params.read("curate", Curate).max_side == 32
    assert [values["method"] for values in params.methods.values()] == ["random", "pretrained", "baseline", "csri"]
    with pytest.raises(Exception, match="frozen"):
        params.seed = 1


def test_the_default_is_the_small_file():
    assert Path("params.yaml").read_bytes() == Path("params/small.yaml").read_bytes()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda p: p.update(sead=1), r"unknown parameter 'sead'\n.*\n.*did you mean 'seed'\? known: .*acquire"),
        (lambda p: p.update(seed=2**62), r"less than 4294967296"),
        (lambda p: p.update(seed="7"), r"valid integer \(it is '7'\)"),
        (lambda p: p.pop("detect"), "parameter 'detect' is missing"),
        (lambda p: p["acquire"].update(sorce="lfw"), r"unknown parameter 'sorce'\n.*acquire.*\n.*'source'"),
        (lambda p: p["methods"].clear(), r"at least 1 item(.|\n)*methods"),
        (lambda p: p["backbones"].update({"A.b": {}}), r"'A.b' cannot be the name of a file(.|\n)*backbones"),
        (
            lambda p: p["evaluation_sets"].update(benchmark=p["evaluation_sets"]["pairs"]),
            r"'benchmark' is the name of a test set that the pipeline makes(.|\n)*evaluation_sets",
        ),
    ],
)
def test_a_wrong_parameter_gets_one_clear_message(tmp_path, change, complaint):
    with pytest.raises(ParameterError, match=complaint):
        read_params(changed(tmp_path, change))


@pytest.mark.parametrize(
    ("section", "kind", "change", "complaint"),
    [
        ("curate", Curate, {"max_sid": 1}, r"unknown parameter 'max_sid'\n.*curate.*\n.*'max_side'.*unverified"),
        (
            "curate",
            Curate,
            {"simulated_labellers": {"anna": {"error_rate": 0.1, "unsure_rate": 0.1, "eror_rate": 0.1}}},
            r"unknown parameter 'eror_rate'\n.*anna.*\n.*did you mean 'error_rate'",
        ),
        ("split", Split, {"train_fraction": "half"}, r"valid number \(it is 'half'\)\n.*split: train_fraction"),
        ("split", Split, {"train_fraction": 1.5}, r"less than 1 \(it is 1.5\)"),
        ("validate", Validate, {"mean_height": [12]}, r"params.yaml: validate: mean_height"),
        ("release", Release, {"version": "1.0"}, "release: version"),
        ("evaluate", Evaluate, {"metric": "euclidean"}, "unknown parameter 'metric'"),  # the model's own counts
        ("evaluate", Evaluate, {"average": "none"}, "evaluate: average"),
    ],
)
def test_a_section_is_checked_by_its_reader(tmp_path, section, kind, change, complaint):
    params = read_params(changed(tmp_path, lambda values: values[section].update(change)))
    with pytest.raises(ParameterError, match=complaint):
        params.read(section, kind)


@pytest.mark.parametrize("text", ["[1, 2]", "a: [", "", "just words"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path, text):
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(ParameterError, match=r"params\.yaml"):
        read_params(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ParameterError, match=r"no parameter file\n.*params\.yaml\n.*project's root"):
        read_params(tmp_path / "params.yaml")
