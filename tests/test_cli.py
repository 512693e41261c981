"""The command line: its help, what it hands to the stages, and what a user sees when something goes wrong."""

import ast
import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from lrfr import cli, offline
from lrfr.errors import BenchmarkError, InterruptedTrainingError

STORY = (
    "acquire detect import-testset curate split validate check-batches card synlr synthesize validate-synthetic "
    "train-landmarks locate-landmarks train-sr apply-sr pretrain train-synthesizer drift rank-synthesizers "
    "training-sets finetune embed evaluate summary visualize report package code params check doctor"
)
ARGUMENT = {"synthesize": "photographic", "finetune": "tc", "embed": "tc", "evaluate": "random"}
ARGUMENT |= {
    "import-testset": "pairs",
    "train-sr": "vdsr",
    "apply-sr": "vdsr",
    "pretrain": "main",
    "train-synthesizer": "mrgan",
}
OPTIONS = {"acquire": {"list_sources": False}, "validate": {"data_docs": False}}
STAGES = [name for name in STORY.split() if name not in ("params", "check", "doctor")]
HEAVY = {"torch", "timm", "pandas", "cv2", "numpy", "pyarrow", "sklearn", "scipy", "prefect", "dvc", "albumentations"}


@pytest.fixture
def stage(monkeypatch):
    """Puts a stage of ours in place of the real one; ``calls`` is what the command line asked of it."""

    def replace(name, error=None):
        calls = []
        name = name.replace("-", "_")

        def run(*arguments, **options):
            calls.append((arguments, options))
            if error is not None:
                raise error

        monkeypatch.setitem(sys.modules, f"lrfr.stages.{name}", SimpleNamespace(run=run))
        return calls

    return replace


def lrfr(*arguments):
    return CliRunner().invoke(cli.app, arguments)


def python(*arguments, **variables):
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env=os.environ | variables)


def test_help_tells_the_story_in_order():
    result = lrfr("--help")
    assert result.exit_code == 0
    listed = result.output.partition("Commands:")[2]
    names = [line.split()[0] for line in listed.splitlines() if line.startswith("  ") and line.strip()]
    assert names[: len(STORY.split())] == STORY.split()
    assert "..." not in listed, "a line of the story is cut off"


def test_help_imports_nothing_heavy():
    program = "import sys, json, lrfr.cli; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    imported = set(json.loads(python("-c", program).stdout))
    assert not imported & HEAVY


def test_nothing_phones_home_unless_the_user_says_so():
    program = f"import os, json, lrfr.cli; print(json.dumps([os.environ[n] for n in {list(offline.VARIABLES)}]))"
    cleared = {name: value for name, value in os.environ.items() if name not in offline.VARIABLES}
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=cleared).stdout
    assert json.loads(printed) == list(offline.VARIABLES.values())
    assert (
        json.loads(python("-c", program, HF_HUB_OFFLINE="0").stdout)[list(offline.VARIABLES).index("HF_HUB_OFFLINE")]
        == "0"
    )


@pytest.mark.parametrize("name", STAGES)
def test_each_command_runs_its_stage(stage, name):
    calls = stage(name)
    arguments = [ARGUMENT[name]] if name in ARGUMENT else []
    assert lrfr(name, *arguments).exit_code == 0
    assert calls == [(tuple(arguments), OPTIONS.get(name, {}))]


@pytest.mark.parametrize("name", STAGES)
def test_the_stage_takes_what_its_command_hands_over(name):
    """Read from the source, as importing all stages takes half a minute."""
    source = (Path(cli.__file__).parent / "stages" / f"{name.replace('-', '_')}.py").read_text(encoding="utf-8")
    (run,) = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and node.name == "run"]
    expected = list(OPTIONS.get(name, [run.args.args[0].arg] if name in ARGUMENT else []))
    assert [argument.arg for argument in run.args.args] == expected


def test_data_docs_are_an_extra(stage):
    calls = stage("validate")
    lrfr("validate", "--data-docs")
    assert calls == [((), {"data_docs": True})]


def test_the_sources_are_listed_with_their_layouts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # no params.yaml is needed for it
    result = lrfr("acquire", "--list")
    assert result.exit_code == 0
    blocks = {block.partition(":")[0]: block for block in result.output.split("\n\n")}
    assert {"celeba", "identity_folders", "lfw", "photo_folder", "recordio", "reid_folders", "tinyface"} <= set(blocks)
    assert "train.rec, train.idx and property" in blocks["recordio"]
    assert "protocol: tinyface" in blocks["tinyface"] and "protocol: none" in blocks["recordio"]
    places = {name: block.rpartition("under: ")[2].strip() for name, block in blocks.items()}
    assert (places["tinyface"], places["scface"]) == ("acquire or evaluation_sets", "evaluation_sets")
    assert all("layout: " in block for block in blocks.values())


def test_a_forgotten_name_is_asked_for():
    for command, name in (("finetune", "RUN"), ("pretrain", "NAME"), ("import-testset", "SET")):
        result = lrfr(command)
        assert result.exit_code == 2
        assert name in result.stderr


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (BenchmarkError("no face is left", where="curate", remedy="lower max_side"), 1, "what to do: lower max_side"),
        (InterruptedTrainingError("stopped after step 40; the state is saved"), 130, "the state is saved"),
        (KeyboardInterrupt(), 130, "run the same command again"),
        (OSError(errno.ENOSPC, "No space left on device", "data/x.parquet"), 1, "the disk is full: data/x.parquet"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), 1, "free space and run the same command again"),
        (RuntimeError("I/O error: No space left on device (os error 28)"), 1, "the disk is full"),
        (MemoryError(), 1, "out of memory"),
        (ModuleNotFoundError("No module named 'torch'", name="torch"), 1, "pip install 'lrfr[pipeline]'"),
    ],
)
def test_what_a_user_can_mend_is_a_message(stage, error, code, says):
    stage("curate", error)
    result = lrfr("curate")
    assert result.exit_code == code
    assert result.stderr.startswith("error: ")
    assert says in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    "error",
    [
        ZeroDivisionError("a defect"),
        FileNotFoundError(errno.ENOENT, "no such file"),
        ModuleNotFoundError("No module named 'lrfr.lost'", name="lrfr.lost"),
    ],
)
def test_a_defect_of_ours_keeps_its_traceback(stage, error):
    stage("curate", error)
    assert lrfr("curate").exception is error
