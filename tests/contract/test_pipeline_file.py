"""dvc.yaml says what is true: the plan's graph, and what each stage needs; of its code see test_code_deps.py."""

import subprocess
from itertools import pairwise
from pathlib import Path

import networkx
import pytest
import yaml

from lrfr.cli import app
from lrfr.config import read_params
from lrfr.parameter_files import composed
from tests.contract.imports import ROOT

PLAN = """
    code > acquire > detect > curate > split > validate > synthesize > validate-synthetic > drift
    code > import-testset > curate
    split > check-batches > train-landmarks
    check-batches > train-sr
    validate > card
    validate > synlr > validate-synthetic
    synlr > apply-sr > embed
    validate > train-sr > apply-sr
    train-sr > visualize > report
    validate > train-landmarks > locate-landmarks > pretrain > drift > rank-synthesizers
    rank-synthesizers > training-sets > finetune > embed > evaluate > summary > report > package
    finetune > visualize
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """dvc.yaml beside parameters that make every one of its stages; the default has no SR network."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "dvc.yaml").write_bytes((ROOT / "dvc.yaml").read_bytes())
    (folder / "params.yaml").write_text(composed(ROOT / "params/tc.yaml"), encoding="utf-8")
    (folder / ".dvc").mkdir()
    (folder / ".dvc" / "config").write_text("[core]\n    no_scm = true\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def params(project):
    return read_params(project / "params.yaml")


@pytest.fixture(scope="module")
def graph(project):
    """DVC's graph, its edges from a stage to what it needs."""
    from dvc.repo import Repo

    with Repo(str(project)) as repo:
        return repo.index.graph


@pytest.fixture(scope="module")
def stages(graph):
    """The stages of dvc.yaml by name."""
    return {stage.name: stage for stage in graph}


def listed(stage) -> set[Path]:
    return {ROOT / dependency.def_path for dependency in stage.deps if dependency.def_path != "params.yaml"}


def test_the_graph_is_the_plan(graph):
    reduced = networkx.DiGraph()
    for stage, needed in graph.edges:
        reduced.add_edge(needed.name.partition("@")[0], stage.name.partition("@")[0])
    chains = [line.split(" > ") for line in PLAN.split("\n") if line.strip()]
    plan = {(a.strip(), b.strip()) for chain in chains for a, b in pairwise(chain)}
    assert set(networkx.transitive_reduction(reduced).edges) == plan


def test_each_stage_is_its_command(stages):
    commands = {command.name or command.callback.__name__.replace("_", "-") for command in app.registered_commands}
    for name, stage in stages.items():
        command, _, argument = name.partition("@")
        assert stage.cmd == f"lrfr {command} {argument}".strip()
        assert command in commands


def test_each_name_in_the_parameters_has_its_stages(stages, params):
    of_each = {
        ("finetune", "embed", "evaluate"): params.methods,
        ("pretrain",): params.backbones,
        ("synthesize",): params.synthesizers,
        ("train-sr", "apply-sr"): params.super_resolution,
        ("import-testset",): params.evaluation_sets,
    }
    expected = {f"{stage}@{name}" for group, names in of_each.items() for stage in group for name in names}
    assert {name for name in stages if "@" in name} == expected


def test_a_run_depends_on_its_own_method_and_its_own_backbone(stages, params):
    for name, run in params.methods.items():
        places = {place.relative_to(ROOT).as_posix() for place in listed(stages[f"finetune@{name}"])}
        methods = {place for place in places if place.startswith("src/lrfr/methods/")}
        assert methods == {"src/lrfr/methods/__init__.py", f"src/lrfr/methods/{run['method']}.py"}
        assert {place for place in places if place.startswith("models/pretrained")} == {
            f"models/pretrained/{run['backbone']}"
        }
        assert f"data/code/runs/{name}.json" in places


def test_a_run_depends_on_no_other_run(stages, params):
    """So one more run runs alone, with what looks at all of them."""
    for stage in ("finetune", "embed", "evaluate"):
        for name in params.methods:
            of_runs = ("models/runs", "data/embeddings", "data/code/runs")
            places = [place.relative_to(ROOT).as_posix() for place in listed(stages[f"{stage}@{name}"])]
            named = [place for place in places if place.startswith(of_runs)]
            assert {Path(place).stem for place in named} <= {name}
            keys = [key for dependency in stages[f"{stage}@{name}"].deps for key in getattr(dependency, "params", [])]
            assert not [key for key in keys if f"{key}.".startswith("methods.") and f"methods.{name}." not in f"{key}."]


def test_what_no_stage_makes_exists(stages):
    made = {ROOT / output.def_path for stage in stages.values() for output in stage.outs}
    for stage in stages.values():
        for place in listed(stage):
            from_a_stage = made & {place, *place.parents} or any(place in output.parents for output in made)
            assert from_a_stage or place.exists(), f"{stage.name} needs {place.relative_to(ROOT)}"


def test_no_output_is_in_git(stages):
    """git ignores what the pipeline makes; DVC would refuse it otherwise."""
    from dvc.scm import SCM, SCMError

    try:
        ignored = SCM(str(ROOT)).is_ignored
    except SCMError:
        pytest.skip("this is no git repository")
    for stage in stages.values():
        for output in stage.outs:
            assert ignored(str(ROOT / output.def_path)), output.def_path


def test_what_is_released_is_an_artifact_that_others_can_get():
    release = read_params(ROOT / "params.yaml").release
    artifacts = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["artifacts"]
    assert artifacts[release["name"]]["path"] == "signed/${release.name}/${release.version}"


PARAMETERS = ["params.yaml", *sorted(f"params/{file.name}" for file in (ROOT / "params").glob("*.yaml"))]


@pytest.mark.parametrize("path", PARAMETERS)
def test_every_parameter_file_has_what_stages_depend_on(path):
    """DVC stops at a key that is missing, also where the program has a default."""
    values = yaml.safe_load(composed(ROOT / path))
    pipeline = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    for name, stage in pipeline.items():
        for key in stage.get("do", stage).get("params", []):
            within = values
            for part in () if "${" in key else key.split("."):
                assert part in within, f"{name} depends on {key}"
                within = within[part]


def test_the_small_scale_is_the_default(git):
    """What ``make repro PARAMS=params/small.yaml`` goes back to; another run's params.yaml is not compared."""
    changed = subprocess.run([git, "diff", "--quiet", "HEAD", "--", "params.yaml"], cwd=ROOT, capture_output=True)
    if changed.returncode:
        pytest.skip("params.yaml is not the committed one, or this is no git repository")
    assert (ROOT / "params/small.yaml").read_bytes() == (ROOT / "params.yaml").read_bytes()


def test_dvc_shows_a_row_of_figures_for_each_run_and_nothing_else(graph):
    """`dvc metrics show` prints all of a metric file in one line, `dvc exp show` a column for each figure."""
    shown = [out.def_path for stage in graph for out in stage.outs if out.metric]
    assert shown == ["metrics/summary.json"]
