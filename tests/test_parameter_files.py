"""Parameter files with a base, and those of the project."""

from pathlib import Path

import pytest
import yaml
from dvc.utils.serialize import load_yaml, modify_yaml
from typer.testing import CliRunner

from lrfr import paths
from lrfr.cli import app
from lrfr.config import read_params, settings
from lrfr.errors import ParameterError
from lrfr.methods import read_run
from lrfr.nn.pretraining import Pretraining
from lrfr.parameter_files import composed
from lrfr.quality.limits import Drift
from lrfr.stages import check

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "params").glob("*.yaml"))
GENERATED = (
    "small",
    "csri",
    "tc",
    "rifr",
    "ri",
    "ri-sweeps",
    "ran",
    "ran-sweeps",
)  # what they need is in the repository
BASE = """\
# The base: a line about it.
seed: 7

# How faces are found.
detect:
  sizes: [10, 40]                  # px
  thresholds: {low: 0.6}

methods:
  one: {method: baseline, rate: 1}
  two: {method: csri}

release: {run: one}
"""


@pytest.fixture
def file(tmp_path):
    def write(name, text):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    write("small.yaml", BASE)
    return write


def test_a_file_without_a_base_stays_as_it_is(file):
    assert composed(file("alone.yaml", BASE)) == BASE


def test_a_section_replaces_the_bases_whole_in_its_place(file):
    text = composed(file("mine.yaml", "base: small.yaml\n\nmethods:\n  three: {method: tc}   # mine\n\n"))
    assert yaml.safe_load(text) == yaml.safe_load(BASE) | {"methods": {"three": {"method": "tc"}}}
    assert list(yaml.safe_load(text)) == ["seed", "detect", "methods", "release"]
    assert "methods:\n  three: {method: tc}   # mine\n\nrelease: {run: one}\n" in text
    assert "base" not in yaml.safe_load(text) and "csri" not in text


def test_a_new_section_follows(file):
    text = composed(file("mine.yaml", "base: small.yaml\nsynlr: {faces: mine}\n"))
    assert list(yaml.safe_load(text).items())[-1] == ("synlr", {"faces": "mine"})


def test_comments_stay_with_what_they_are_about(file):
    text = composed(
        file(
            "mine.yaml",
            "# My file: a line about it.\n#\n#     make repro PARAMS=mine.yaml\nbase: small.yaml   # the default\n"
            "\n# Who is released.\nrelease: {run: two}\n",
        )
    )
    assert text.startswith("# My file: a line about it.\n#\n#     make repro PARAMS=mine.yaml\n")
    assert "The base: a line about it" not in text
    assert "# How faces are found.\ndetect:\n  sizes: [10, 40]                  # px\n" in text
    assert "# Who is released.\nrelease: {run: two}\n" in text


def test_the_comment_on_a_replaced_section_goes_with_it(file):
    text = composed(file("mine.yaml", "base: small.yaml\ndetect: {sizes: [3, 4]}\n"))
    assert "How faces are found" not in text
    assert text.startswith("# The base: a line about it.\nseed: 7\n")


def test_bases_may_have_bases(file):
    file("middle.yaml", "base: small.yaml\nseed: 8\nrelease: {run: two}\n")
    found = yaml.safe_load(composed(file("last.yaml", "base: middle.yaml\nseed: 9\n")))
    assert found == yaml.safe_load(BASE) | {"seed": 9, "release": {"run": "two"}}


def test_a_text_of_several_lines_is_no_section(file):
    """Nor do the separators that Unicode has beside the line feed end a line."""
    told = "card:\n  text: >-\n    seed: is no section here\n\n    nor this\n  other: 'a\u2028seed: 3'\n"
    text = composed(file("mine.yaml", "base: small.yaml\n" + told))
    assert text.endswith(told)
    assert yaml.safe_load(text)["seed"] == 7


@pytest.mark.parametrize("key", ['"methods":', "'methods':", "methods :", "!!str methods:"])
def test_a_section_is_one_however_its_key_is_written(file, key):
    found = yaml.safe_load(composed(file("mine.yaml", f'"base": "small.yaml"  # the default\n{key} {{three: 3}}\n')))
    assert found == yaml.safe_load(BASE) | {"methods": {"three": 3}}


@pytest.mark.parametrize("text", ["{base: small.yaml, seed: 3}\n", "base: small.yaml\n? seed\n: 3\n", " seed: 3\n"])
def test_a_section_begins_a_line_of_its_own(file, text):
    with pytest.raises(ParameterError, match=r"does not begin a line of its own(.|\n)*mine\.yaml, line 1|line 2"):
        composed(file("mine.yaml", text))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("base: small.yaml\nmethods: {a: 1, a: 2}\n", 'duplicate key "a"'),
        ("base: small.yaml\nmethods: {a: *gone}\n", "undefined alias"),
        ("base: small.yaml\nmethods:\n\ta: 1\n", r"not YAML(.|\n)*line 3"),
        ("- base\n", "holds no mapping"),
    ],
)
def test_what_dvc_could_not_read_is_refused(file, text, complaint):
    with pytest.raises(ParameterError, match=complaint):
        composed(file("mine.yaml", text))


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path):
    (tmp_path / "small.yaml").write_bytes(b"\xef\xbb\xbf" + BASE.encode())
    (tmp_path / "mine.yaml").write_bytes(b"\xef\xbb\xbfbase: small.yaml\nseed: 3\n")
    assert yaml.safe_load(composed(tmp_path / "mine.yaml"))["seed"] == 3


def test_a_last_line_without_an_end_is_no_trap(file):
    file("small.yaml", BASE.rstrip("\n"))
    assert yaml.safe_load(composed(file("mine.yaml", "base: small.yaml\nsynlr: {faces: a}")))["release"] == {
        "run": "one"
    }


@pytest.mark.parametrize("lines", ["base: mine.yaml\n", "base: ./mine.yaml\n"])
def test_a_file_that_is_its_own_base_is_refused(file, lines):
    with pytest.raises(ParameterError, match=r"(is its own base|beside this one)(.|\n)*mine\.yaml"):
        composed(file("mine.yaml", lines))


def test_bases_that_go_round_in_a_circle_are_refused(file):
    file("other.yaml", "base: mine.yaml\n")
    with pytest.raises(ParameterError, match=r"is its own base(.|\n)*other\.yaml"):
        composed(file("mine.yaml", "base: other.yaml\n"))


def test_a_missing_base_is_named_with_what_to_do(file):
    with pytest.raises(ParameterError, match=r"cannot be read(.|\n)*smal\.yaml(.|\n)*name a YAML file"):
        composed(file("mine.yaml", "base: smal.yaml\n"))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ParameterError, match=r"cannot be read(.|\n)*nowhere\.yaml"):
        composed(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize(
    "value",
    ["", " ", " small.yaml other.yaml", " ../small.yaml", " /etc/passwd", " .", " a/b.yaml", "\n  - small.yaml"],
)
def test_a_base_is_the_name_of_a_file_beside(file, value):
    with pytest.raises(ParameterError, match=r"base is the name of a file beside this one(.|\n)*base: small\.yaml"):
        composed(file("mine.yaml", f"base:{value}\nseed: 3\n"))


@pytest.mark.parametrize("text", ["seed: 1\nseed: 2\n", "base: small.yaml\nbase: small.yaml\n"])
def test_a_section_that_stands_twice_is_refused(file, text):
    with pytest.raises(ParameterError, match=r"the section '(seed|base)' stands twice(.|\n)*mine\.yaml"):
        composed(file("mine.yaml", text))


def test_a_section_that_stands_twice_in_the_base_is_refused_there(file):
    file("small.yaml", BASE + "seed: 8\n")
    with pytest.raises(ParameterError, match=r"'seed' stands twice(.|\n)*small\.yaml"):
        composed(file("mine.yaml", "base: small.yaml\nseed: 9\n"))


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"seed: \x80\n"])
def test_what_is_no_text_is_refused(tmp_path, content):
    (tmp_path / "mine.yaml").write_bytes(content)
    with pytest.raises(ParameterError, match=r"cannot be read(.|\n)*mine\.yaml"):
        composed(tmp_path / "mine.yaml")


def test_a_folder_is_no_parameter_file(tmp_path):
    with pytest.raises(ParameterError, match="cannot be read"):
        composed(tmp_path)


def test_the_command_prints_the_complete_file():
    printed = CliRunner().invoke(app, ["params", str(ROOT / "params" / "tc.yaml")])
    assert (printed.exit_code, printed.stdout) == (0, composed(ROOT / "params" / "tc.yaml"))


@pytest.fixture(params=[file.stem for file in FILES])
def chosen(request, tmp_path, monkeypatch):
    """A parameter file of the project as params.yaml of a folder, by its name."""
    monkeypatch.chdir(tmp_path)
    paths.PARAMS.write_text(composed(ROOT / "params" / f"{request.param}.yaml"), encoding="utf-8")
    return request.param


def test_every_file_of_the_project_can_be_changed_by_an_experiment_of_dvc(chosen):
    """DVC writes the whole file anew, and some ways of writing are lost on it."""
    before = load_yaml(paths.PARAMS)
    with modify_yaml(paths.PARAMS) as values:
        values["seed"] = 11
    assert load_yaml(paths.PARAMS) == before | {"seed": 11}
    assert read_params().seed == 11


def test_every_file_of_the_project_is_complete_and_read(chosen):
    params = read_params()
    assert all(read_run(name, params).name == name for name in params.methods)
    for name, values in params.backbones.items():
        settings(values, Pretraining, f"{chosen}: backbones.{name}")
    assert params.read("drift", Drift).backbone in params.backbones


def test_every_file_of_the_project_keeps_its_own_sections(chosen):
    whole = yaml.safe_load(paths.PARAMS.read_text(encoding="utf-8"))
    own = yaml.safe_load((ROOT / "params" / f"{chosen}.yaml").read_text(encoding="utf-8"))
    base = own.pop("base", None)
    assert {name: whole[name] for name in own} == own
    assert (base is None) == (chosen == "small")


@pytest.mark.parametrize("chosen", GENERATED, indirect=True)
def test_what_runs_on_generated_people_passes_the_check(chosen, capsys):
    Path("src/lrfr/sources/rendering").mkdir(parents=True)  # the root of the generated test sets
    check.run()
    assert "every section and every name in it is right" in capsys.readouterr().out
