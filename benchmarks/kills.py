"""Kills the pipeline at chosen and at random moments, lets it go on, and compares the end with that of a run that
nobody killed: every file that the pipeline makes, and what DVC says of it.

    python benchmarks/kills.py 60     # in the project's root; about half an hour

Works in a temporary folder, on a copy of the project at the size of the end-to-end tests.
"""

import argparse
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import psutil
import yaml

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
from tests.e2e.test_pipeline import COPIED, tiny  # noqa: E402

COPIES = [*COPIED, "flows", "Makefile", "tools", "requirements.lock", "pyproject.toml"]
MADE = ("data", "models", "metrics", "plots", "reports", "releases")
COMMANDS = {
    "dvc": ["dvc", "repro"],
    "make": ["make", "repro"],
    "flow": [sys.executable, "-m", "flows.pipeline"],
}
RESUMED_BY = {"dvc": "make", "make": "make", "flow": "flow"}  # who was killed under `dvc repro` is told to use make
SERVER = 15  # s until Prefect's server has started
PATIENCE = 3600  # s


def small(params: dict) -> dict:
    """One trained run and two test sets, in place of the default's."""
    params = tiny(params)
    params["evaluation_sets"] = {name: params["evaluation_sets"][name] for name in ("pairs", "distractors")}
    del params["methods"]["csri"]
    for section in (params["backbones"]["main"], params["landmarks"], *params["super_resolution"].values()):
        section["training"]["epochs"] = 1
    return params


def curate(params: dict) -> None:
    """Changes what curate depends on, and nothing that it finds."""
    params["curate"]["simulated_labellers"]["anna"]["unsure_rate"] += 1e-12


def evaluate(params: dict) -> None:
    """Changes the intervals of every run, and so the report and the release."""
    params["evaluate"]["bootstrap"] += 10


def both(params: dict) -> None:
    """Changes what the first and the last stages depend on."""
    curate(params)
    evaluate(params)


def everything(params: dict) -> None:
    """Changes what all stages depend on."""
    params["seed"] += 1


WRITES = {"curate": 1, "evaluate": 4, "both": 5, "everything": 30}  # stages that run again, and are written down


@dataclass(frozen=True)
class Case:
    """One kill.

    Attributes:
        change: what is out of date when the command starts.
        command: of :data:`COMMANDS`.
        moment: ``any``, or what DVC has just begun to write: ``lock`` (dvc.lock), ``runs`` (its memory of former
            runs), ``rwlock`` (what it works on).
        signal: the signal's number.
        group: whether all processes of the command get it, or the first one alone.
        fraction: of the undisturbed run's time, or of these writes, after which it is killed.
    """

    change: Callable[[dict], None]
    command: str
    moment: str
    signal: int
    group: bool
    fraction: float


class Project:
    """A copy of the project, and what it was before each case."""

    def __init__(self, folder: Path) -> None:
        self.whole, self.folder = folder / "whole", folder / "project"
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
        scripts = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.environment |= {"PATH": scripts, "PYTHONPATH": f"{self.folder / 'src'}{os.pathsep}{self.folder}"}
        self.environment |= {"OMP_NUM_THREADS": "1", "DVC_SITE_CACHE_DIR": str(folder / "dvc")}

    def begin(self) -> None:
        """Copies the project and runs all of it once."""
        for name in COPIES:
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
            copy(ROOT / name, self.folder / name)
        text = yaml.safe_dump(small(yaml.safe_load((ROOT / "params.yaml").read_text())), sort_keys=False)
        (self.folder / "params.yaml").write_text(text)
        (self.folder / ".venv").mkdir()  # nothing is installed: the packages are those of this Python
        (self.folder / ".venv/.installed").touch()
        self.git("init", "-q")
        self.git("add", "-A")
        self.git("-c", "user.name=k", "-c", "user.email=k@example.org", "commit", "-qm", "small")
        self.finish("make")
        subprocess.run(["cp", "-a", self.folder, self.whole], check=True)

    def git(self, *arguments: str) -> None:
        """Runs git in the copy."""
        subprocess.run(["git", *arguments], cwd=self.folder, check=True)

    def reset(self, change: Callable[[dict], None]) -> None:
        """The whole project again, with changed parameters."""
        shutil.rmtree(self.folder)
        subprocess.run(["cp", "-a", self.whole, self.folder], check=True)
        path = self.folder / "params.yaml"
        params = yaml.safe_load(path.read_text())
        change(params)
        path.write_text(yaml.safe_dump(params, sort_keys=False))

    def start(self, command: str) -> subprocess.Popen[str]:
        """Starts a command at the head of a group of its own."""
        with (self.folder.parent / f"{command}.log").open("w") as log:
            return subprocess.Popen(
                COMMANDS[command],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def finish(self, command: str) -> float:
        """Runs a command to its end, and returns the seconds that it took."""
        began = time.monotonic()
        status = self.start(command).wait(PATIENCE)
        if status:
            raise RuntimeError(f"{command} failed:\n{(self.folder.parent / f'{command}.log').read_text()[-3000:]}")
        return time.monotonic() - began

    def end(self) -> None:
        """Ends what is left of a case: Prefect's server, which outlives a flow that is killed."""
        for process in psutil.process_iter():
            try:
                if process.cwd() == str(self.folder):
                    process.kill()
            except psutil.Error:
                pass

    def result(self) -> dict[str, str]:
        """The hash of every file that the pipeline made, and what DVC says of each stage."""
        found = {
            str(path.relative_to(self.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for name in MADE
            for path in (self.folder / name).rglob("*")
            if path.is_file()
        }
        lock = yaml.load((self.folder / "dvc.lock").read_text(), yaml.CSafeLoader)
        return found | {f"stage {name}": str(said) for name, said in lock["stages"].items()}


class Watch:
    """Waits for the moment of a case."""

    def __init__(self, folder: Path, moment: str) -> None:
        self.folder, self.moment = folder, moment
        self.path = folder / {"lock": "dvc.lock", "rwlock": ".dvc/tmp/rwlock"}.get(moment, ".dvc/cache/runs")
        self.last = self._size()

    def began(self) -> bool:
        """Whether a write has begun since it was last asked."""
        size, last = self._size(), self.last
        self.last = size
        return size > last if self.moment == "runs" else size < last

    def _size(self) -> int:
        try:
            if self.moment == "runs":
                return sum(1 for _ in self.path.glob("*/*"))
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0


def kill(project: Project, case: Case, seconds: float, writes: int, draw: random.Random) -> float | None:
    """Starts a case's command and kills it; returns after how many seconds, None where it had ended before."""
    began = time.monotonic()
    process = project.start(case.command)
    if case.moment == "any":
        deadline = began + case.fraction * seconds
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
    else:
        watch, left = Watch(project.folder, case.moment), 1 + int(case.fraction * writes)
        while process.poll() is None and left:
            left -= watch.began()
            time.sleep(0.0005 if case.moment != "runs" else 0.002)
        time.sleep(draw.uniform(0, 0.35 if case.moment == "lock" else 0.02))
    if process.poll() is not None:
        return None
    (os.killpg if case.group else os.kill)(process.pid, case.signal)
    process.wait(PATIENCE)
    return time.monotonic() - began


def cases(count: int, draw: random.Random) -> list[Case]:
    """Kills of all kinds, most of them where DVC writes and in the stages that a killed run got stuck in."""
    made = []
    for number in range(count):
        command = draw.choices(["dvc", "make", "flow"], [26, 24, 10])[0]
        change = everything if number == count // 2 else draw.choices([curate, evaluate, both], [4, 4, 1])[0]
        moment = draw.choices(["any", "lock", "runs", "rwlock"], [5, 7, 2, 2])[0]
        sent = draw.choices([signal.SIGKILL, signal.SIGINT, signal.SIGTERM], [7, 2, 1])[0]
        group = sent == signal.SIGINT or draw.random() < 0.5  # Ctrl-C reaches all
        made.append(Case(change, command, moment, sent, group, draw.random()))
    return made


def main() -> None:
    """Runs the cases and prints what came of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kills", type=int)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    draw = random.Random(chosen.seed)
    wrong, done, began = [], Counter(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        project = Project(Path(folder).resolve())
        project.begin()
        truth: dict[str, tuple[float, dict[str, str]]] = {}
        for number, case in enumerate(cases(chosen.kills, draw)):
            key = case.change.__name__
            if key not in truth:
                project.reset(case.change)
                truth[key] = project.finish("make"), project.result()
            seconds, expected = truth[key]
            if case.command == "flow":
                seconds += SERVER
            after = None
            while after is None:
                project.reset(case.change)
                after = kill(project, case, seconds, WRITES[key], draw)
                case = replace(case, fraction=0.7 * case.fraction)
            told = f"{case.change.__name__} {case.command} {case.moment} {signal.Signals(case.signal).name} "
            told += f"{'group' if case.group else 'parent alone'} after {after:.1f} s"
            try:
                resumed = project.finish(RESUMED_BY[case.command])
                found = project.result()
                different = sorted(name for name in expected | found if expected.get(name) != found.get(name))
                problem = f"different: {different[:5]}" if different else ""
            except (RuntimeError, subprocess.TimeoutExpired) as error:
                resumed, problem = 0, str(error)
            project.end()
            mended = "DVC was killed" in (project.folder.parent / f"{RESUMED_BY[case.command]}.log").read_text()
            done[f"{case.command}, {'group' if case.group else 'parent alone'}"] += 1
            done["mended"] += mended
            if problem:
                wrong.append(told)
            print(f"{number + 1}: {told}, resumed in {resumed:.1f} s{', mended' * mended} {problem}", flush=True)
    print(
        f"\n{date.today()}: {chosen.kills - len(wrong)} of {chosen.kills} ended as a run that nobody killed, ", end=""
    )
    print(f"in {(time.monotonic() - began) / 60:.0f} minutes; {dict(done)}")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
