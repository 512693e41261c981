from pathlib import Path

import pytest
import yaml
from dvc.utils.serialize import load_yaml, modify_yaml

from lrfr.card.settings import Card
from lrfr.config import read_params, settings
from lrfr.curation import Curate, Split
from lrfr.errors import ParameterError
from lrfr.nn.pretraining import Pretraining
from lrfr.protocols.options import Evaluate
from lrfr.quality.limits import Validate
from lrfr.release.settings import Release
from lrfr.test_sets import SynLR


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
        (lambda p: p["synthesizers"].update({"nul": {}}), r"'nul' cannot be the name of a file(.|\n)*synthesizers"),
        (lambda p: p["synthesizers"].update({"../x": {}}), r"'../x' cannot be the name of a file(.|\n)*synthesizers"),
        (lambda p: p["methods"].update({"$(reboot)": {}}), r"cannot be the name of a file(.|\n)*methods"),
        (
            lambda p: p["super_resolution"].update({"a" * 64: {}}),
            r"cannot be the name of a file(.|\n)*super_resolution",
        ),
        (lambda p: p["evaluation_sets"].update({"a\n": {}}), r"cannot be the name of a file(.|\n)*evaluation_sets"),
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
        (
            "curate",
            Curate,
            {"simulated_labellers": {"../../../annotations/verdicts/mia": {"error_rate": 0.1, "unsure_rate": 0.1}}},
            r"annotations/verdicts/mia' cannot be the name of a file(.|\n)*curate: simulated_labellers",
        ),
        ("release", Release, {"name": "../x"}, r"it is '../x'(.|\n)*release: name"),
        ("release", Release, {"name": "-x"}, r"'-x' cannot be the name of a file(.|\n)*release: name"),
        ("evaluate", Evaluate, {"super_resolution": ["../x"]}, r"'../x' cannot be the name of a file"),
        ("synlr", SynLR, {"faces": "../x"}, r"'../x' cannot be the name of a file"),
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


@pytest.mark.parametrize(
    ("old", "new", "read"),
    [("seed: 7", "seed: 010", 10), ("seed: 7", "seed: 1_000", 1000), ("seed: 7", "seed: 0x1F", 31)],
)
def test_numbers_are_what_dvc_takes_them_for(tmp_path, old, new, read):
    text = Path("params.yaml").read_text(encoding="utf-8")
    path = tmp_path / "params.yaml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    assert read_params(path).seed == read == load_yaml(path)["seed"]


def test_what_dvc_writes_for_an_experiment_is_read(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_bytes(Path("params.yaml").read_bytes())
    with modify_yaml(path) as values:
        values["backbones"]["main"]["training"]["learning_rate"] = 0.00001
    assert "learning_rate: 1e-05" in path.read_text(encoding="utf-8")
    params = read_params(path)
    assert settings(params.backbones["main"], Pretraining, "main").training.learning_rate == 1e-5


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda t: t + "seed: 8\n", r'duplicate key "seed"(.|\n)*line 2\d\d'),
        (lambda t: t.replace("  max_side: 32", "  max_side: 32\n  max_side: 33"), 'duplicate key "max_side"'),
        (lambda t: t.replace("seed: 7", "seed: yes"), r"valid integer \(it is 'yes'\)"),
        (lambda t: t.replace("seed: 7", "seed: 1:30"), r"valid integer \(it is '1:30'\)"),
        (lambda t: t.replace('published: "2026-11-22"', "published: 2026-11-22"), None),
        (lambda t: t.replace("seed: 7", "seed: " + "9" * 6000), "6000 digits"),
        (lambda t: t.replace("seed: 7", "seed: 2026-13-01"), "month must be in 1..12"),
        (lambda t: t.replace("seed: 7", "seed: " + "[" * 50_000), "100 blocks stand inside one another"),
        (lambda t: t.replace("seed: 7", "\tseed: 7"), r"not YAML(.|\n)*line 2"),
        (
            lambda t: t.replace("  root: src/lrfr/sources/rendering", "  root: ~/faces", 1),
            "write the home folder's path",
        ),
        (lambda t: t.replace("  root: src/lrfr/sources/rendering", "  root: ''", 1), "at least 1 character"),
    ],
)
def test_what_dvc_would_refuse_or_read_otherwise_is_told(tmp_path, change, complaint):
    path = tmp_path / "params.yaml"
    path.write_text(change(Path("params.yaml").read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(ParameterError, match=complaint or "in quotes"):
        read_params(path).read("card", Card)


@pytest.mark.parametrize("content", ["seed: 7\u00e9".encode("latin-1"), "seed: 7".encode("utf-16"), b"\x00"])
def test_what_is_no_utf8_text_is_refused(tmp_path, content):
    path = tmp_path / "params.yaml"
    path.write_bytes(content)
    with pytest.raises(ParameterError, match=r"not UTF-8|not YAML"):
        read_params(path)


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + Path("params.yaml").read_bytes())
    assert read_params(path) == read_params()
