"""Kills the pipeline at chosen and at random moments, lets it go on, and compares the end with that of a run that
nobody killed: every file that the pipeline makes, what DVC says of it, people's verdicts, and what still runs.

    sudo python benchmarks/kills.py 60 FOLDER     # in the project's root, on Linux; an hour

Works in FOLDER, on a copy of the project at its smallest, where nothing else of the machine can be written to. Whole
runs are made once and kept there; a case begins with a few stages out of date, so that it takes seconds.
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from multiprocessing import Process
from pathlib import Path

import psutil
import yaml

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
from benchmarks.sandbox import enter  # noqa: E402
from tests.e2e.test_pipeline import COPIED, tiny  # noqa: E402

COPIES = [*COPIED, "flows", "Makefile", "tools", "requirements.lock", "pyproject.toml"]
MADE = ("data", "models", "metrics", "plots", "reports", "releases", "annotations")
PASSED_OVER = (".git", ".dvc", ".venv", ".prefect", "__pycache__")  # where files may come and go
COMMANDS = {
    "dvc": ["dvc", "repro"],
    "make": ["make", "repro"],
    "flow": [sys.executable, "-m", "flows.pipeline"],
}
RESUMED_BY = {"dvc": "make", "make": "make", "flow": "flow"}  # who was killed under `dvc repro` is told to use make
PATIENCE = 3600  # s
LINGERING = 60  # s that a process may go on for when all is done
EQUAL = "equal"
MENDED = "DVC was killed while it "  # what recovery says of each thing that it mends


def small(params: dict) -> dict:
    """Two runs, of which one is trained, and one test set: a pipeline in which nothing takes long."""
    params = tiny(params)
    params["evaluation_sets"] = {"distractors": params["evaluation_sets"]["distractors"]}
    del params["methods"]["csri"]
    trained = [params["backbones"]["main"], params["landmarks"], *params["super_resolution"].values()]
    for section in (*trained, *params["methods"].values()):
        for training in (value for value in section.values() if isinstance(value, dict) and "epochs" in value):
            training["epochs"] = 1
    params["evaluate"].update(super_resolution=[], sides=[8], widths=[20])
    return params


WRITES = ("lock", "runs", "rwlock")
CHANGED = "changed"
STALE = {  # what runs again; nothing else, for what comes of it is what was there before
    "curate": ["curate"],
    "evaluate": ["evaluate@baseline"],
    "report": ["report"],
    "several": ["curate", "evaluate@baseline", "summary", "report"],
    CHANGED: ["curate", "report"],
}


def changed(params: dict) -> None:
    """What curate depends on, and the report; nothing that curate finds."""
    params["curate"]["simulated_labellers"]["anna"]["unsure_rate"] += 1e-12


@dataclass(frozen=True)
class Case:
    """One kill.

    Attributes:
        stale: what is out of date when the command starts, of :data:`STALE`.
        command: of :data:`COMMANDS`.
        moment: while a stage of that name runs, or when DVC has just begun to write: ``lock`` (dvc.lock), ``runs`` (its
            memory of former runs), ``rwlock`` (what it works on).
        signal: the signal's number.
        group: whether all processes of the command get it, or the first one alone.
        fraction: of the stages or of the writes that may be, which one.
        delay: s from then on; how long a stage goes on, or a write.
    """

    stale: str
    command: str
    moment: str
    signal: int
    group: bool
    fraction: float
    delay: float


class Project:
    """A copy of the project, and what it was before each case.

    Where no stage is killed, stages run in forks of a process that has loaded the libraries (see
    ``tests/e2e/preloaded.py``); where one is, it is a command as any other.
    """

    def __init__(self, folder: Path, kept: Path) -> None:
        self.kept, self.folder, self.commands = kept, folder / "project", folder / "commands"
        (self.folder / "src").mkdir(parents=True, exist_ok=True)  # else Python would not look there for what comes
        shutil.rmtree(self.commands, ignore_errors=True)
        self.commands.mkdir()
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
        scripts = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.environment |= {"PATH": scripts, "PYTHONPATH": f"{self.folder / 'src'}{os.pathsep}{self.folder}"}
        self.environment |= {"DVC_SITE_CACHE_DIR": str(folder / "dvc")}
        preloaded = [sys.executable, ROOT / "tests/e2e/preloaded.py", self.commands]
        self.server = subprocess.Popen(preloaded, env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.server.stdout and self.server.stdout.readline()

    def end(self) -> None:
        """Lets go of the loaded libraries."""
        assert self.server.stdin
        self.server.stdin.close()

    def begin(self) -> None:
        """Copies the project and runs all of it once; faces have verdicts of a person's."""
        shutil.rmtree(self.folder, ignore_errors=True)
        for name in COPIES:
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
            copy(ROOT / name, self.folder / name)
        text = yaml.safe_dump(small(yaml.safe_load((ROOT / "params.yaml").read_text())), sort_keys=False)
        (self.folder / "params.yaml").write_text(text)
        (self.folder / ".venv").mkdir()  # nothing is installed: the packages are those of this Python
        (self.folder / ".venv/.installed").touch()
        self._call("git", "init", "-q")
        self._call("git", "add", "-A")
        self._call("git", "-c", "user.name=k", "-c", "user.email=k@example.org", "commit", "-qm", "small")
        self._call("env", f"PATH={self._path(preloaded=True)}", "dvc", "repro", "curate")
        lines = (self.folder / "data/curated/verdicts/anna.csv").read_text().splitlines(keepends=True)[:10]
        said = "".join(lines).replace(",anna,", ",mia,").replace(",simulated", ",")
        (self.folder / "annotations/verdicts/mia.csv").write_text(said)
        self.finish("make")
        self.keep("whole")

    def _call(self, *command: str) -> None:
        subprocess.run(command, cwd=self.folder, env=self.environment, check=True)

    def keep(self, name: str) -> None:
        """Keeps the copy as it is now."""
        self.kept.mkdir(exist_ok=True)
        shutil.rmtree(self.kept / name, ignore_errors=True)
        subprocess.run(["cp", "-a", self.folder, self.kept / "new"], check=True)
        (self.kept / "new").rename(self.kept / name)

    def take(self, name: str) -> None:
        """Goes back to what was kept."""
        shutil.rmtree(self.folder, ignore_errors=True)
        subprocess.run(["cp", "-a", self.kept / name, self.folder], check=True)

    def change(self) -> dict[str, str]:
        """The result of an undisturbed run with changed parameters; keeps the copy before it, with these checked."""
        if not (self.kept / "after").exists():
            self.take("whole")
            path = self.folder / "params.yaml"
            params = yaml.safe_load(path.read_text())
            changed(params)
            path.write_text(yaml.safe_dump(params, sort_keys=False))
            self._call("make", ".venv/.params-checked")
            self.keep("before")
            self.finish("make")
            self.keep("after")
        self.take("after")
        return self.result()

    def begin_case(self, stale: str) -> None:
        """The copy as it is when a case's command starts."""
        self.take("before" if stale == CHANGED else "whole")
        if stale != CHANGED:
            self._forget(STALE[stale])

    def _forget(self, stages: list[str]) -> None:
        """Lets stages look as if they had never run: neither their results nor DVC's memory of them are there."""
        path = self.folder / "dvc.lock"
        lock = yaml.load(path.read_text(), yaml.CSafeLoader)
        (self.folder / ".dvc/tmp/dvc.lock.kept").unlink(missing_ok=True)
        for said in (lock["stages"].pop(name) for name in stages):
            for out in said["outs"]:
                made = self.folder / out["path"]
                shutil.rmtree(made) if made.is_dir() else made.unlink()
                (self.folder / ".dvc/cache/files/md5" / out["md5"][:2] / out["md5"][2:]).unlink(missing_ok=True)
            for run in (self.folder / ".dvc/cache/runs").glob("*/*"):
                if any(f"cmd: {said['cmd']}\n" in noted.read_text() for noted in run.iterdir()):
                    shutil.rmtree(run)
        path.write_text(yaml.safe_dump(lock, sort_keys=False))

    def _path(self, preloaded: bool) -> str:
        return f"{self.commands}{os.pathsep}" * preloaded + self.environment["PATH"]

    def start(self, command: str, preloaded: bool) -> subprocess.Popen[str]:
        """Starts a command at the head of a group of its own."""
        with self.log(command).open("w") as log:
            return subprocess.Popen(
                COMMANDS[command],
                cwd=self.folder,
                env=self.environment | {"PATH": self._path(preloaded)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def log(self, command: str) -> Path:
        """What a command prints."""
        return self.folder.parent / f"{command}.log"

    def finish(self, command: str) -> None:
        """Runs a command to its end."""
        if self.start(command, preloaded=True).wait(PATIENCE):
            raise RuntimeError(f"{command} failed:\n{self.log(command).read_text()[-3000:]}")

    def running(self) -> Iterator[psutil.Process]:
        """The processes that work in the copy."""
        for process in psutil.process_iter():
            try:
                if process.cwd() == str(self.folder) and process.status() != psutil.STATUS_ZOMBIE:
                    yield process
            except psutil.Error:
                pass

    def left(self) -> list[str]:
        """The command lines of processes that do not end although all is done; ends them."""
        deadline = time.monotonic() + LINGERING
        while (running := list(self.running())) and time.monotonic() < deadline:
            time.sleep(0.2)
        lines = []
        for process in running:
            try:
                lines.append(" ".join(process.cmdline())[:200])
                process.kill()
            except psutil.Error:
                pass
        return lines

    def result(self) -> dict[str, str]:
        """Every file in the copy, with the hash of what the pipeline makes, and what DVC says of each stage."""
        found = {}
        for path in self.folder.rglob("*"):
            place = path.relative_to(self.folder)
            if path.is_file() and not set(PASSED_OVER) & set(place.parts):
                made = place.parts[0] in MADE
                found[str(place)] = hashlib.sha256(path.read_bytes()).hexdigest() if made else "there"
        lock = yaml.load((self.folder / "dvc.lock").read_text(), yaml.CSafeLoader)
        return found | {f"stage {name}": str(said) for name, said in lock["stages"].items()}

    def damaged(self) -> Iterator[Path]:
        """The files of DVC's cache that are not what their names, which are hashes, say."""
        for path in (self.folder / ".dvc/cache/files/md5").glob("??/*"):
            if hashlib.md5(path.read_bytes()).hexdigest() != (path.parent.name + path.name).removesuffix(".dir"):
                yield path


class Watch:
    """Waits for the moment of a case."""

    def __init__(self, project: Project, case: Case) -> None:
        self.moment, self.log = case.moment, project.log(case.command)
        written = {"lock": "dvc.lock", "rwlock": ".dvc/tmp/rwlock"}
        self.path = project.folder / written.get(case.moment, ".dvc/cache/runs")
        self.last = self._size()

    def began(self) -> int:
        """How many writes, or stages, have begun since it was last asked."""
        size, last = self._size(), self.last
        self.last = size
        return int(size < last) if self.moment in ("lock", "rwlock") else max(0, size - last)

    def _size(self) -> int:
        try:
            if self.moment == "runs":
                return sum(1 for _ in self.path.glob("*/*"))
            if self.moment in ("lock", "rwlock"):
                return self.path.stat().st_size
            return self.log.read_bytes().count(f"> lrfr {self.moment}".encode())
        except FileNotFoundError:
            return 0


def kill(project: Project, case: Case) -> bool:
    """Starts a case's command and kills it; whether it was still running."""
    stages = [name.partition("@")[0] for name in STALE[case.stale]]
    among = len(stages) if case.moment in WRITES else stages.count(case.moment)
    project.log(case.command).write_text("")  # what it had printed before is no stage of this case
    watch, left = Watch(project, case), 1 + int(case.fraction * among)
    process = project.start(case.command, preloaded=case.moment in WRITES)
    while process.poll() is None and left > 0:
        left -= watch.began()
        time.sleep(0.0005 if case.moment in ("lock", "rwlock") else 0.005)
    time.sleep(case.delay)
    if process.poll() is not None:
        return False
    (os.killpg if case.group else os.kill)(process.pid, case.signal)
    process.wait(PATIENCE)
    return True


def cases(count: int, draw: random.Random) -> list[Case]:
    """Kills of all kinds, most of them where DVC writes and in the stages that a killed run got stuck in."""
    made = []
    for _ in range(count):
        command = draw.choices(["dvc", "make", "flow"], [28, 26, 6])[0]
        stale = draw.choices(list(STALE), [4, 4, 4, 1, 1])[0]
        stages = {name.partition("@")[0] for name in STALE[stale]} - {"summary"}
        moment = draw.choices([*WRITES, draw.choice(sorted(stages))], [7, 2, 2, 6])[0]
        sent = draw.choices([signal.SIGKILL, signal.SIGINT, signal.SIGTERM], [7, 2, 1])[0]
        group = sent == signal.SIGINT or draw.random() < 0.5  # Ctrl-C reaches all
        delay = draw.uniform(0, {"lock": 0.35, "runs": 0.02, "rwlock": 0.02}.get(moment, 6))
        made.append(Case(stale, command, moment, sent, group, draw.random(), delay))
    return made


def prepare(folder: Path, kept: Path) -> None:
    """Makes the whole runs and their results, unless they are there."""
    if (kept / "after.json").exists():
        return
    project = Project(folder, kept)
    if not (project.kept / "whole").exists():
        project.begin()
    project.take("whole")
    results = {"whole": project.result(), "after": project.change()}
    project.end()
    for name, result in results.items():
        (project.kept / f"{name}.json").write_text(json.dumps(result))


def problem(project: Project, command: str, expected: dict[str, str]) -> str:
    """Lets a killed run go on by a command; what is not as it should be then, no text where all is."""
    try:
        project.finish(command)
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        return f"{error}; {project.left()}"
    found = project.result()
    different = sorted(name for name in expected | found if expected.get(name) != found.get(name))
    said = [f"different: {', '.join(different[:5])}"] if different else []
    said += [f"damaged in the cache: {path.name}" for path in project.damaged()]
    return "; ".join([*said, *(f"still runs: {line}" for line in project.left())])


def attack(folder: Path, kept: Path, mine: list[tuple[int, Case]], rows: Path) -> None:
    """Runs cases, one after the other, in a folder of their own, and writes what came of each."""
    project = Project(folder, kept)
    for number, case in mine:
        project.begin_case(case.stale)
        while not kill(project, case):
            case = replace(case, fraction=0.7 * case.fraction, delay=0.5 * case.delay)
            project.begin_case(case.stale)
        truth = json.loads((kept / ("after" if case.stale == CHANGED else "whole")).with_suffix(".json").read_text())
        resume = RESUMED_BY[case.command]
        wrong = problem(project, resume, truth)
        said = project.log(resume).read_text().splitlines()
        mended = "; ".join(line.partition(MENDED)[2].partition(";")[0] for line in said if MENDED in line)
        to = f"{signal.Signals(case.signal).name} to {'all' if case.group else 'the parent'}"
        row = f"| {number} | {case.stale} | {case.command} | {to} | {case.moment} + {case.delay:.2f} s | {resume} |"
        row = f"{row} {mended} | {' '.join(wrong.split()) or EQUAL} |"
        print(row, flush=True)
        with rows.open("a") as file:
            file.write(f"{row}\n")


def main() -> None:
    """Prepares the whole runs, runs the cases that have no row yet, as many at once as there are cores, and tells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kills", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    enter(chosen.folder)
    folder = chosen.folder.resolve()
    kept, rows = folder / "kept", folder / f"rows-{chosen.seed}.md"
    prepare(folder, kept)
    rows.touch()
    done = {int(row.split("|")[1]) for row in rows.read_text().splitlines()}
    left = [case for case in enumerate(cases(chosen.kills, random.Random(chosen.seed)), 1) if case[0] not in done]
    shares = len(os.sched_getaffinity(0))
    workers = [Process(target=attack, args=[folder / f"{n}", kept, left[n::shares], rows]) for n in range(shares)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    ended = sorted(rows.read_text().splitlines(), key=lambda row: int(row.split("|")[1]))
    equal = sum(row.endswith(f"| {EQUAL} |") for row in ended)
    print("\n| | out of date | killed | signal | when | went on by | mended | end |\n|---|---|---|---|---|---|---|---|")
    print("\n".join(ended))
    print(f"\n{date.today()}: {equal} of {chosen.kills} ended as a run that nobody killed")
    for column, what in ((3, "command"), (2, "out of date"), (4, "signal"), (7, "mended")):
        counted = Counter(row.split("|")[column].strip() or "nothing" for row in ended)
        print(f"by {what}: {', '.join(f'{name} {count}' for name, count in counted.most_common())}")
    sys.exit(equal < chosen.kills)


if __name__ == "__main__":
    main()
