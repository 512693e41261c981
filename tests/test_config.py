from pathlib import Path

import pytest
import yaml

from lrfr.config import read_params
from lrfr.errors import ParameterError


def changed(tmp_path, change):
    values = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    change(values)
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def test_the_default_parameters_are_read():
    params = read_params()
    assert params.curate.max_side == 32
    assert "tc" in params.methods
    with pytest.raises(Exception, match="frozen"):
        params.seed = 1


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda p: p.update(sead=1), r"unknown parameter 'sead'\n.*\n.*did you mean 'seed'\? known: .*acquire"),
        (lambda p: p["curate"].update(max_sid=1), r"unknown parameter 'max_sid'\n.*curate.*\n.*'max_side'.*unverified"),
        (
            lambda p: p["curate"]["simulated_labellers"]["anna"].update(eror_rate=0.1),
            r"unknown parameter 'eror_rate'\n.*anna.*\n.*did you mean 'error_rate'",
        ),
        (lambda p: p["split"].update(train_fraction="half"), r"valid number \(it is 'half'\)\n.*split.train_fraction"),
        (lambda p: p["split"].update(train_fraction=1.5), r"less than 1 \(it is 1.5\)"),
        (lambda p: p.update(seed=2**62), r"less than 4294967296"),
        (lambda p: p.update(seed="7"), r"valid integer \(it is '7'\)"),
        (lambda p: p.pop("detect"), "parameter 'detect' is missing"),
        (lambda p: p["release"].update(version="1.0"), "release.version"),
        (lambda p: p["evaluate"].update(metric="euclidean"), r"as they are \(it is 'unit'\)\n.*evaluate.average"),
        (
            lambda p: p["evaluate"].update(metric="euclidean", average="raw", thresholds="grid"),
            r"as they are \(it is 'grid'\)\n.*evaluate.thresholds",
        ),
    ],
)
def test_a_wrong_parameter_gets_one_clear_message(tmp_path, change, complaint):
    with pytest.raises(ParameterError, match=complaint):
        read_params(changed(tmp_path, change))


@pytest.mark.parametrize("text", ["[1, 2]", "a: [", "", "just words"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path, text):
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(ParameterError, match=r"params\.yaml"):
        read_params(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ParameterError, match=r"no parameter file\n.*params\.yaml\n.*project's root"):
        read_params(tmp_path / "params.yaml")
