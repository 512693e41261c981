"""The flow over DVC: which stages can start, and real runs of a small project, one after another in one process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from flows.plan import Stage, leading_to, outdated, read_plan, startable
from lrfr.errors import ParameterError

ROOT = Path(__file__).parents[2]
ALL = sys.maxsize

# Each waits until the other runs, so that they can end only side by side
MEET = "touch {0}.on; for i in $(seq 600); do [ -e {1}.on ] && break; sleep 0.2; done; [ -e {1}.on ] && cat a > {0}"
PIPELINE = f"""
stages:
  first:
    cmd: printf '1 of 2\\r2 of 2\\n'; cat x > a
    deps: [x]
    outs: [a]
  left:
    cmd: {MEET.format("left", "right")}
    deps: [a]
    outs: [left]
  right:
    cmd: {MEET.format("right", "left")}
    deps: [a]
    outs: [right]
  train:
    cmd: python train.py
    deps: [left, right, mode]
    outs: [model]
    meta:
      cores: all
  report:
    cmd: mkdir -p reports metrics/runs; cp model reports/index.html; cp results.json metrics/runs/baseline.json
    deps: [model]
    outs: [reports/index.html, metrics/runs/baseline.json]
"""
TRAIN = """
import pathlib, sys, time
mode = pathlib.Path("mode").read_text()
if mode == "fail":
    print("loss 0.1\\nerror: the loss is not finite\\n  what to do: lower the learning rate")
    sys.exit(1)
if mode == "slow":
    try:
        pathlib.Path("training").touch()
        time.sleep(60)
    except KeyboardInterrupt:
        pathlib.Path("saved").touch()
        sys.exit(130)
pathlib.Path("model").write_text(mode)
"""
FIGURES = {"distractors": {"rank1": 0.5, "rank1_interval": [0.4, 0.6], "map": 0.3}}
RESULTS = {"run": "baseline", "method": "baseline", "sets": {"benchmark": FIGURES}}
DRIVER = """
import os, pathlib, signal, sys, threading, time
from flows import pipeline
from filelock import FileLock
from lrfr.files import write_json
from lrfr.flow_lock import LOCK, NOTE
from prefect import flow, task
from prefect.artifacts import Artifact
from prefect.client.orchestration import get_client
from prefect.states import Running

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs start with it ignored
pipeline.cores = lambda: 2
mode = pathlib.Path("mode")

def run(name):
    print(f"@@ {name}", flush=True)
    print(f"exit {pipeline.main()}", flush=True)

def interrupt():
    while not pathlib.Path("training").exists():
        time.sleep(0.1)
    os.kill(os.getpid(), signal.SIGINT)

params = pathlib.Path("params.yaml")
good = params.read_text()
params.write_text(good + "seeds: 1")
run("misspelt")
params.write_text(good)
mode.write_text("fail")
run("failed")
mode.write_text("good")
run("mended")
print(Artifact.get("leaderboard").data, Artifact.get("report-page").data, flush=True)
run("unchanged")
with FileLock(LOCK):
    run("second")
with get_client(sync_client=True) as client:  # what a killed flow leaves: it, its task, and a flow within it
    killed = client.create_flow_run(flow(lambda: None, name="outer"), state=Running())
    inner = client.create_task_run(task(lambda: None, name="inner"), killed.id, dynamic_key="0", state=Running())
    within = client.create_flow_run(flow(lambda: None, name="inner"), parent_task_run_id=inner.id, state=Running())
    write_json(NOTE, {"flow": "outer", "process": 7, "since": "2026-01-05T03:00:00Z", "run": str(killed.id)})
    run("after a kill")
    states = [client.read_flow_run(killed.id), client.read_task_run(inner.id), client.read_flow_run(within.id)]
    print([left.state.name for left in states], flush=True)
mode.write_text("slow")
threading.Thread(target=interrupt, daemon=True).start()
run("interrupted")
"""


def stages(**needs):
    """A plan from ``name=(what it needs, cores, changed)``."""
    return {name: Stage(name, frozenset(needed.split()), cores, bool(c)) for name, (needed, cores, c) in needs.items()}


PLAN = stages(
    validate=("", 1, 0),
    synthesize=("validate", 1, 0),
    pretrain=("validate", ALL, 0),
    drift=("synthesize", 1, 0),
    report=("drift pretrain", 1, 0),
)


def test_what_follows_a_changed_stage_is_outdated():
    plan = PLAN | stages(synthesize=("validate", 1, 1))
    assert outdated(plan) == {"synthesize", "drift", "report"}
    assert outdated(PLAN) == set()


def test_a_stage_waits_for_what_it_needs():
    assert startable(PLAN, set(PLAN), set(), 8) == ["validate"]
    assert startable(PLAN, {"drift", "report"}, {"drift"}, 8) == []


def test_a_stage_that_wants_all_cores_runs_alone():
    assert startable(PLAN, set(PLAN) - {"validate"}, set(), 8) == ["synthesize"]
    assert startable(PLAN, {"pretrain", "drift", "report"}, set(), 8) == ["pretrain"]
    assert startable(PLAN, {"pretrain", "drift", "report"}, {"pretrain"}, 8) == []


def test_independent_stages_share_the_cores():
    plan = stages(a=("", 1, 1), b=("", 2, 1), c=("", 1, 1), d=("", 1, 1))
    assert startable(plan, set(plan), set(), 2) == ["a", "c"]
    assert startable(plan, set(plan), set(), 4) == ["a", "b", "c"]
    assert startable(plan, set(plan), {"a"}, 2) == ["c"]
    assert startable(plan, set(plan), set(), 1) == ["a"]


def test_no_two_trainings_share_a_gpu():
    plan = {name: Stage(name, frozenset(), 1, True, gpu) for name, gpu in {"a": True, "b": True, "c": False}.items()}
    assert startable(plan, set(plan), set(), 8) == ["a", "c"]
    assert startable(plan, set(plan), {"b"}, 8) == ["c"]
    assert startable(plan, set(plan), {"c"}, 8) == ["a"]


def test_what_some_stages_need():
    assert list(leading_to(PLAN, ["drift"])) == ["validate", "synthesize", "drift"]
    assert list(leading_to(PLAN, ["pretrain", "synthesize"])) == ["validate", "synthesize", "pretrain"]
    with pytest.raises(ParameterError, match=r"unknown stage 'pretain'[\s\S]*did you mean 'pretrain'"):
        leading_to(PLAN, ["pretain"])


@pytest.fixture(scope="module")
def project(tmp_path_factory, git):
    """A small DVC project in a git repository."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "dvc.yaml").write_text(PIPELINE)
    (folder / "train.py").write_text(TRAIN)
    (folder / "results.json").write_text(json.dumps(RESULTS))
    (folder / "x").write_text("1")
    (folder / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    (folder / "src/lrfr/sources/rendering").mkdir(parents=True)  # the root of the test sets in the parameters
    (folder / "metrics/runs").mkdir(parents=True)
    (folder / "metrics/runs/dropped.json").write_text(json.dumps(RESULTS | {"run": "dropped"}))
    subprocess.run([git, "init", "-q"], cwd=folder, check=True)
    (folder / ".dvc").mkdir()
    (folder / ".dvc/config").write_text((ROOT / ".dvc/config").read_text())
    return folder


@pytest.fixture(scope="module")
def runs(project):
    """What each run of the flow printed; they share one temporary server, which takes a dozen seconds to start."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    variables = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}
    variables |= {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}", "PATH": path, "PREFECT_LOGGING_COLORS": "false"}
    done = subprocess.run(
        [sys.executable, "-c", DRIVER],
        cwd=project,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout
    parts = [part.partition("\n") for part in done.stdout.split("@@ ")[1:]]
    return {name: output for name, _, output in parts}


def test_wrong_parameters_are_refused_before_anything_runs(runs):
    assert "exit 1" in runs["misspelt"]
    assert "error: unknown parameter 'seeds'" in runs["misspelt"]
    assert "Flow run" not in runs["misspelt"]


def test_a_failed_stage_stops_the_flow_and_is_named(runs):
    output = runs["failed"]
    assert "exit 1" in output
    error = output[output.index("\nerror: the stage 'train' failed") :]
    assert "error: the loss is not finite\n  what to do: lower the learning rate" in error
    assert "loss 0.1" not in error and "NoneType" not in output and "Traceback" not in output
    assert "Failed(\"the stage 'train' failed: the loss is not finite\")" in output  # the state, in Prefect's pages
    assert "'report'" not in output


def test_stages_run_side_by_side(runs):
    """Left and right wait for each other: had they run one after the other, they would have failed."""
    assert "left: done" in runs["failed"]
    assert "right: done" in runs["failed"]


def test_progress_comes_line_by_line_under_the_stages_name(runs):
    assert "Task run 'first' - 1 of 2\n" in runs["failed"]
    assert "Task run 'first' - 2 of 2\n" in runs["failed"]


def test_only_what_changed_runs_again(runs):
    output = runs["mended"]
    assert "exit 0" in output
    assert "3 of 5 stages are up to date" in output
    assert "Task run 'train'" in output
    assert "Task run 'left'" not in output


def test_the_report_is_attached(runs, project):
    assert "| baseline | 0.500 | 0.400 to 0.600 | 0.300 |" in runs["mended"]
    assert (project / "reports/index.html").as_uri() in runs["mended"]
    assert "dropped" not in runs["mended"]  # a run that params.yaml no longer has


def test_nothing_runs_when_nothing_changed(runs):
    assert "5 of 5 stages are up to date" in runs["unchanged"]
    assert "Task run" not in runs["unchanged"]
    assert "exit 0" in runs["unchanged"]


def test_prefects_home_is_the_projects(runs, project):
    assert (project / ".prefect/prefect.db").exists()


def test_two_flows_at_once_are_refused(runs):
    assert "exit 1" in runs["second"]
    assert "error: a flow already runs in this project" in runs["second"]


def test_what_a_kill_left_is_called_crashed(runs):
    assert "outer, process 7, since 2026-01-05T03:00:00Z was killed" in runs["after a kill"]
    assert "exit 0" in runs["after a kill"] and "['Crashed', 'Crashed', 'Crashed']" in runs["after a kill"]


def test_an_interrupt_lets_training_save_its_state(runs, project):
    assert "exit 130" in runs["interrupted"]
    assert "Traceback" not in runs["interrupted"]
    assert (project / "saved").exists()


def test_the_plan_is_dvcs_graph(runs, project, monkeypatch):
    monkeypatch.chdir(project)
    plan = read_plan()
    assert list(plan) == ["first", "left", "right", "train", "report"]
    assert plan["train"] == Stage("train", frozenset({"left", "right"}), ALL, changed=True)
    assert plan["report"].needs == {"train"}
    assert not plan["left"].changed
