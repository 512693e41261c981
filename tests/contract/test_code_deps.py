"""The code deps of dvc.yaml and tools/check.d: what each stage imports, and nothing else."""

import dis
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import CodeType

import pytest
import yaml

from tests.contract.imports import MODULES, ROOT

PACKAGE = ROOT / "src" / "lrfr"
TEMPLATES = PACKAGE / "templates"
FILES = {file.relative_to(ROOT).as_posix() for file in PACKAGE.rglob("*") if file.is_file() and file.suffix != ".pyc"}
PLACES = {module: file.relative_to(ROOT).as_posix() for module, file in MODULES.items() if file.is_relative_to(PACKAGE)}
TRAININGS = ("pretrain", "finetune", "train-sr", "train-landmarks")
COMMANDS = {"synthesize-learned": "synthesize"}  # of stages that are not named as their command
COMPONENTS = ("methods", "sources", "synthesis")


def stages(pipeline: Path = ROOT / "dvc.yaml") -> dict[str, list[str]]:
    """The deps of every stage of a pipeline; of a foreach those of its template."""
    found = yaml.safe_load(pipeline.read_text(encoding="utf-8"))["stages"]
    return {name: stage.get("do", stage)["deps"] for name, stage in found.items()}


def code_of(deps: list[str], root: Path = ROOT) -> set[str]:
    """The files of code among deps, those in folders too, without what is named by a parameter."""
    named = [root / dep for dep in deps if dep.startswith("src/lrfr/") and "$" not in dep]
    files = [file for place in named for file in (place.rglob("*") if place.is_dir() else [place])]
    return {file.relative_to(root).as_posix() for file in files if file.is_file() and file.suffix != ".pyc"}


@cache
def naive(*modules: str) -> frozenset[str]:
    """The files that modules lead to, read from their compiled code and not from their syntax trees."""
    seen: set[str] = set()
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        waiting += [".".join(name.split(".")[:depth]) for depth in range(1, name.count(".") + 1)]
        if name in PLACES:
            waiting += leads_to(name)
        elif (TEMPLATES / name).is_file():
            text = (TEMPLATES / name).read_text(encoding="utf-8")
            waiting += re.findall(r"{% (?:include|extends) \"(.+?)\"", text)
    templates = {f"src/lrfr/templates/{name}" for name in seen if (TEMPLATES / name).is_file()}
    return frozenset(templates | {PLACES[name] for name in seen & PLACES.keys()})


@cache
def leads_to(module: str) -> tuple[str, ...]:
    """The modules and templates that a module's code speaks of; the compiler drops what stands under ``if 0``."""
    text = MODULES[module].read_text(encoding="utf-8").replace("if TYPE_CHECKING:", "if 0:")
    found: list[str] = []
    for code in codes(compile(text, module, "exec")):
        imported = ""
        for instruction in dis.get_instructions(code):
            if instruction.opname == "IMPORT_NAME":
                imported = str(instruction.argval)
                found.append(imported)
            elif instruction.opname == "IMPORT_FROM":
                found.append(f"{imported}.{instruction.argval}")
        constants = [part for value in code.co_consts for part in (value if isinstance(value, tuple) else (value,))]
        found += [value for value in constants if isinstance(value, str) and value in TEMPLATE_NAMES]
    for package in re.findall(r"import_module\(f\"(.+?)\.{", text.partition("def __getattr__")[0]):
        inside = package.replace("{__name__}", module)
        found += [name for name in PLACES if name.rpartition(".")[0] == inside]
    return tuple(found)


TEMPLATE_NAMES = {file.name for file in TEMPLATES.iterdir()}


def codes(code: CodeType) -> list[CodeType]:
    """A code object and those within it, but for a ``__getattr__``, which imports for other modules."""
    within = [value for value in code.co_consts if isinstance(value, CodeType) and value.co_name != "__getattr__"]
    return [code, *(inner for value in within for inner in codes(value))]


def stage_module(stage: str) -> str:
    return f"lrfr.stages.{COMMANDS.get(stage, stage).replace('-', '_')}"


def of_component(file: str) -> bool:
    """Whether a file is one of those that params.yaml chooses among by name."""
    return any(re.fullmatch(rf"src/lrfr/{package}/(?!__init__)\w+\.py", file) for package in COMPONENTS)


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "tools/code_deps.py", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True)


@pytest.fixture
def copy(tmp_path):
    """A copy of the package, the pipeline and the tool."""
    shutil.copytree(PACKAGE, tmp_path / "src" / "lrfr", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tools", tmp_path / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "dvc.yaml", tmp_path)
    return tmp_path


def test_both_files_are_what_the_tool_writes():
    found = run(ROOT)
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("dvc.yaml", "      - src/lrfr/files.py\n", ""),
        ("dvc.yaml", "      - src/lrfr/files.py\n", "      - src/lrfr/files.py\n      - src/lrfr/cli.py\n"),
        ("tools/check.d", "\tsrc/lrfr/config.py \\\n", ""),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_named_and_written(copy, name, old, new):
    file = copy / name
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    found = run(copy)
    assert found.returncode == 1
    assert found.stdout == f"{name} is not up to date: python tools/code_deps.py --write\n"
    assert run(copy, "--write").returncode == 0
    assert file.read_text(encoding="utf-8") == text
    assert run(copy).returncode == 0


def test_what_the_tool_does_not_write_stays(copy):
    """Data deps and their comments, deps by a parameter, everything else."""
    file = copy / "dvc.yaml"
    text = file.read_text(encoding="utf-8")
    without_code = "".join(line for line in text.splitlines(True) if not re.match(r" +- src/lrfr/[\w/.]+\n", line))
    file.write_text(without_code, encoding="utf-8")
    assert run(copy, "--write").returncode == 0
    assert file.read_text(encoding="utf-8") == text


def test_a_file_is_a_dep_of_exactly_the_stages_that_import_it():
    listed = {stage: code_of(deps) for stage, deps in stages().items() if stage != "code"}
    expected = {stage: naive(stage_module(stage)) for stage in listed}
    wrong = {}
    for file in FILES:
        has, needs = ({stage for stage, files in of.items() if file in files} for of in (listed, expected))
        if has != needs:
            wrong[file] = {"in vain": sorted(has - needs), "missing": sorted(needs - has)}
    assert not wrong
    assert {file for files in listed.values() for file in files} <= FILES
    assert stages()["code"] == ["src/lrfr"]


def test_a_folder_is_one_dep_where_all_of_it_is_imported_and_no_file_stands_twice():
    for deps in stages().values():
        places = {Path(dep) for dep in deps if dep.startswith("src/lrfr") and "$" not in dep}
        assert all(places.isdisjoint(place.parents) for place in places)
    assert {"src/lrfr/nn/networks", "src/lrfr/nn/training"} <= set(stages()["pretrain"])


def test_what_is_imported_cannot_be_missed():
    """The tool reads absolute imports alone, and does not follow a ``__getattr__``."""
    relative, through = [], []
    for module, file in MODULES.items():
        text = file.read_text(encoding="utf-8")
        relative += [module for _ in re.findall(r"^\s*from \.", text, re.MULTILINE)]
        for package, names in re.findall(r"^\s*from (lrfr[\w.]*) import ([\w, ]+)$", text, re.MULTILINE):
            if "def __getattr__" in MODULES[package].read_text(encoding="utf-8"):
                through += [f"{module}: {name}" for name in names.split(", ") if f"{package}.{name}" not in MODULES]
    assert not relative and not through


def test_what_parameters_name_is_a_dep_by_that_parameter():
    by_name = {
        "acquire": "src/lrfr/sources/${acquire.source}.py",
        "import-testset": "src/lrfr/sources/${item.source}.py",
        "synthesize": "src/lrfr/synthesis/${key}.py",
        "finetune": "src/lrfr/methods/${item.method}.py",
    }
    recorded = {
        "acquire": "data/code/sources/acquire.json",
        "import-testset": "data/code/test_sets/${key}.json",
        "synthesize": "data/code/synthesizers/${key}.json",
        "pretrain": "data/code/backbones/${key}.json",
        "finetune": "data/code/runs/${key}.json",
        "train-synthesizer": "data/code/synthesizers/${key}.json",
        "synthesize-learned": "data/code/synthesizers/${key}.json",
    }
    named = {
        stage: [dep for dep in deps if dep.startswith("src/lrfr/") and "$" in dep] for stage, deps in stages().items()
    }
    assert {stage: deps for stage, deps in named.items() if deps} == {stage: [dep] for stage, dep in by_name.items()}
    records = {stage: [dep for dep in deps if dep.startswith("data/code")] for stage, deps in stages().items()}
    assert {stage: deps for stage, deps in records.items() if deps} == {stage: [dep] for stage, dep in recorded.items()}


def test_no_method_and_no_synthesiser_is_a_dep_by_its_own_name():
    named = {file for deps in stages().values() for file in code_of(deps) if of_component(file)}
    assert not {file for file in named if "/sources/" not in file}
    # What is acquired and who labels is no layout of a source
    assert named == {"src/lrfr/sources/acquired.py", "src/lrfr/sources/labellers.py"}


@pytest.mark.parametrize("stage", TRAININGS)
def test_a_training_depends_on_no_synthesiser(stage):
    assert not {dep for dep in stages()[stage] if re.fullmatch(r"src/lrfr/synthesis/(?!__init__).+", dep)}


def test_a_new_backbone_is_nothing_to_the_landmark_network(copy):
    before = stages(copy / "dvc.yaml")
    networks = copy / "src" / "lrfr" / "nn" / "networks"
    (networks / "newest.py").write_text('"""A network."""\n')
    registered = networks / "__init__.py"
    registered.write_text(registered.read_text(encoding="utf-8") + "\nfrom lrfr.nn.networks import newest  # noqa\n")
    assert run(copy, "--write").returncode == 0
    after = stages(copy / "dvc.yaml")
    changed = {f"src/lrfr/nn/networks/{name}.py" for name in ("newest", "__init__")}
    assert after["train-landmarks"] == before["train-landmarks"]
    assert not changed & code_of(after["train-landmarks"], copy)
    assert changed <= code_of(after["pretrain"], copy) and changed <= code_of(after["finetune"], copy)


def test_a_new_synthesiser_is_nothing_to_the_pipeline_until_it_is_named(copy):
    before = stages(copy / "dvc.yaml")
    (copy / "src" / "lrfr" / "synthesis" / "newest.py").write_text('"""A synthesiser."""\n')
    assert run(copy, "--write").returncode == 0
    assert stages(copy / "dvc.yaml") == before
    assert "src/lrfr/synthesis/newest.py" in (copy / "tools" / "check.d").read_text(encoding="utf-8")


def test_make_checks_the_parameters_anew_after_a_change_of_what_reads_them():
    text = (ROOT / "tools" / "check.d").read_text(encoding="utf-8")
    listed = text.partition(":= \\\n")[2].replace("\\\n", " ").split()
    components = [module for module, file in PLACES.items() if of_component(file)]
    assert set(listed) == naive("lrfr.stages.check", *components)
    assert listed == sorted(listed)
    assert "include tools/check.d" in (ROOT / "Makefile").read_text(encoding="utf-8")
