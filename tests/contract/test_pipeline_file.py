"""dvc.yaml says what is true: the plan's graph, and for each stage all the code that decides its result."""

import subprocess
from itertools import pairwise
from pathlib import Path

import networkx
import pytest
import yaml

from lrfr.cli import app
from lrfr.config import read_params
from lrfr.sources import sources
from tests.contract.imports import MODULES, ROOT, closure

# Code that cannot change a result: messages, places, progress, who does the work, how a file is written
HARMLESS = ("errors", "paths", "progress", "parallel", "files", "components", "config", "offline")
CANNOT_CHANGE_A_RESULT = {f"lrfr.{name}" for name in HARMLESS}

SOURCES = {f"lrfr.sources.{name}": hasattr(module, "PROTOCOL") for name, module in sources().items()}
# The same list of code serves whichever source params.yaml names, if it can be acquired, or imported
MAY_BE_READ_BY = {
    "acquire": set(SOURCES),
    "import": {module for module, is_test_set in SOURCES.items() if is_test_set},
}

# Packages whose modules a stage finds by a name in params.yaml, or by that of a protocol
FOUND_IN = {
    "evaluate": "lrfr.protocols.",
    "report": "lrfr.report.sections.",
    "pretrain": "lrfr.synthesis.",
    "finetune": "lrfr.synthesis.",
}

PLAN = """
    acquire > detect > curate > split > validate > synthesize > inspect > drift > report
    import > curate
    validate > card
    validate > synlr > inspect > embed
    validate > landmarks > align > embed
    validate > super_resolution > super_resolve > embed
    super_resolution > visualize > report
    validate > pretrain > finetune > embed > evaluate > report > release
    finetune > visualize
    landmarks > visualize
"""


@pytest.fixture(scope="module")
def graph():
    """DVC's graph, its edges from a stage to what it needs."""
    from dvc.repo import Repo

    with Repo(str(ROOT)) as repo:
        return repo.index.graph


@pytest.fixture(scope="module")
def stages(graph):
    """The stages of dvc.yaml by name."""
    return {stage.addressing: stage for stage in graph}


def code(stage) -> set[str]:
    """Every module of ours that a stage runs, but for those that cannot change its result."""
    command, _, name = stage.addressing.partition("@")
    params = read_params(ROOT / "params.yaml")
    test_set = params.evaluation_sets.get(name)
    found_by_name = {
        "acquire": f"lrfr.sources.{params.acquire.source}",
        "import": f"lrfr.sources.{test_set.source}" if test_set else "",
        "synthesize": f"lrfr.synthesis.{name}",
        "finetune": f"lrfr.methods.{name}",
    }
    start = {f"lrfr.stages.{command}"} | ({found_by_name[command]} if command in found_by_name else set())
    start |= {module for module in MODULES if module.startswith(FOUND_IN.get(command, "nothing"))}
    assert start <= MODULES.keys()
    readers = MAY_BE_READ_BY.get(command, set())
    shared = {module for module in closure(readers) - SOURCES.keys() if module.startswith("lrfr.sources.")}
    shared = {module for module in shared if ".rendering" not in module}
    # embed asks a method by what it is compared; what it trains by is nothing to embed
    asked = {f"lrfr.methods.{name}"} if command == "embed" else set()
    return (closure(start) | shared | asked) - CANNOT_CHANGE_A_RESULT - {"lrfr"}


def listed(stage) -> set[Path]:
    return {ROOT / dependency.def_path for dependency in stage.deps if dependency.def_path != "params.yaml"}


def test_the_graph_is_the_plan(graph):
    reduced = networkx.DiGraph()
    for stage, needed in graph.edges:
        reduced.add_edge(needed.addressing.partition("@")[0], stage.addressing.partition("@")[0])
    chains = [line.split(" > ") for line in PLAN.split("\n") if line.strip()]
    plan = {(a.strip(), b.strip()) for chain in chains for a, b in pairwise(chain)}
    assert set(networkx.transitive_reduction(reduced).edges) == plan


def test_each_stage_is_its_command(stages):
    commands = {command.callback.__name__ for command in app.registered_commands}
    for name, stage in stages.items():
        command, _, argument = name.partition("@")
        assert stage.cmd == f"lrfr {command.replace('_', '-')} {argument}".strip()
        assert command in commands


def test_each_method_and_synthesizer_has_its_stages(stages):
    params = read_params(ROOT / "params.yaml")
    expected = {f"{stage}@{method}" for stage in ("finetune", "embed", "evaluate") for method in params.compare}
    expected |= {f"{stage}@{name}" for stage in ("synthesize", "drift") for name in params.synthesizers}
    expected |= {
        f"{stage}@{name}" for stage in ("super_resolution", "super_resolve") for name in params.super_resolution
    }
    expected |= {f"import@{name}" for name in params.evaluation_sets}
    assert {name for name in stages if "@" in name} == expected


def test_a_stage_lists_all_its_code(stages):
    """What is not listed can change without the stage running again."""
    missing = {}
    for name, stage in stages.items():
        places = listed(stage)
        files = {MODULES[module] for module in code(stage)}
        unlisted = {str(file.relative_to(ROOT)) for file in files if places.isdisjoint({file, *file.parents})}
        if unlisted:
            missing[name] = sorted(unlisted)
    assert not missing


def test_a_stage_lists_no_code_of_others(stages):
    """What is listed in vain makes hours of training run again; stages of one foreach share their list."""
    used: dict[str, set[Path]] = {}
    for name, stage in stages.items():
        used.setdefault(name.partition("@")[0], set()).update(MODULES[module] for module in code(stage))
    needless = {}
    for name, stage in stages.items():
        ours = {place for place in listed(stage) if place.suffix == ".py"}
        if vain := sorted(str(place.relative_to(ROOT)) for place in ours - used[name.partition("@")[0]]):
            needless[name] = vain
    assert not needless


def test_what_no_stage_makes_exists(stages):
    made = {ROOT / output.def_path for stage in stages.values() for output in stage.outs}
    for stage in stages.values():
        for place in listed(stage):
            from_a_stage = made & {place, *place.parents} or any(place in output.parents for output in made)
            assert from_a_stage or place.exists(), f"{stage.addressing} needs {place.relative_to(ROOT)}"


def test_no_output_is_in_git(stages):
    """git ignores what the pipeline makes; DVC would refuse it otherwise."""
    from dvc.scm import SCM

    ignored = SCM(str(ROOT)).is_ignored
    for stage in stages.values():
        for output in stage.outs:
            assert ignored(str(ROOT / output.def_path)), output.def_path


def test_what_is_released_is_an_artifact_that_others_can_get():
    release = read_params(ROOT / "params.yaml").release
    artifacts = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["artifacts"]
    assert artifacts[release.name]["path"] == f"releases/{release.name}"


PARAMETERS = ["params.yaml", *sorted(f"params/{file.name}" for file in (ROOT / "params").glob("*.yaml"))]


@pytest.mark.parametrize("path", PARAMETERS)
def test_every_parameter_file_has_what_stages_depend_on(path):
    """DVC stops at a key that is missing, also where the program has a default."""
    values = yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))
    pipeline = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    for name, stage in pipeline.items():
        for key in stage.get("do", stage).get("params", []):
            within = values
            for part in () if "${" in key else key.split("."):
                assert part in within, f"{name} depends on {key}"
                within = within[part]


def test_the_small_scale_is_the_default():
    """What ``make repro PARAMS=params/small.yaml`` goes back to; another run's params.yaml is not compared."""
    changed = subprocess.run(["git", "diff", "--quiet", "HEAD", "--", "params.yaml"], cwd=ROOT, capture_output=True)
    if changed.returncode:
        pytest.skip("params.yaml is not the committed one, or this is no git repository")
    assert (ROOT / "params/small.yaml").read_bytes() == (ROOT / "params.yaml").read_bytes()
