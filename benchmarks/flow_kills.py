"""Kills the flow ``monitor`` at random moments while it examines, trains, decides, releases and publishes; lets it go
on and compares the end with that of a run that nobody killed.

    sudo python benchmarks/flow_kills.py 60 FOLDER                 # in the project's root, on Linux; an hour

Works in FOLDER, where nothing else of the machine can be written to, on a copy of the project with generated people, in
which a batch waits that ends in a release: what is released before are untrained weights. A case begins where the batch
waits, or where a part of the work is done already, so that it takes a minute. Rows are kept; the same command goes on.
Processors share the kills by `--share 1/2` and so on, once `python benchmarks/flow_kills.py 0 FOLDER` has made what
cases begin with. With `--begin packaged` all cases are in the release, which ends a run and so is seldom met.
"""

import argparse
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]
from benchmarks import timeline  # noqa: E402
from benchmarks.sandbox import enter  # noqa: E402

PATIENCE = 1800  # s
LINGERING = 60  # s that a process may go on for when all is done
STATES = {  # where a case begins, and how many of ten begin so
    "arrived": 2,  # the batch waits
    "training": 3,  # it was admitted, and all is made that training needs
    "promoted": 5,  # the new model was found to be better; what is left is to package, release and publish it
    "packaged": 0,  # all is made and committed; what is left is to sign, verify, track and publish: by --begin alone
}
SAME = ("metrics", "models", "data/evaluated", "raw", "annotations", "params.yaml")
WATCHED = ("decisions", "signed", "params.yaml", "../place", ".git/refs", "dvc.lock", "raw/arrivals", "raw/batches")
VERDICTS = "face_id,verdict,labeller,at,note\n"
EQUAL = "equal"
FLOW = [sys.executable, "-m", "flows.monitor", "--key", "../release.key", "--public", "../release.pub"]
FLOW += ["--place", "../place"]
HEAD = "| | begins | killed | when | it was at | end |\n|---|---|---|---|---|---|"


def settings(params: dict[str, Any]) -> dict[str, Any]:
    """The timeline's, smaller; the run that is released first is the one of untrained weights."""
    params = timeline.settings(params)
    params["acquire"]["auxiliary"]["settings"].update(auxiliary_identities=50, portraits_per_identity=6)
    params["evaluation_sets"]["distractors"]["settings"].update(identities=20)
    params["backbones"]["main"]["training"].update(epochs=6)
    params["methods"]["baseline"]["training"].update(epochs=3)
    params["release"]["run"] = "random"
    params["retrain"].update(growth=0.05)
    params["retrain"]["gate"].update(hr_loss=1.0, latency=1e5)
    return params


@dataclass(frozen=True)
class Kill:
    """When a run is killed, and whom: it began in ``state``; ``writes`` of what is watched were seen, and ``delay`` s
    have passed since; the whole ``group`` or the parent alone."""

    state: str
    writes: int
    delay: float
    group: bool


class Case:
    """A copy of the project in a folder, which begins in one of the states that are kept."""

    def __init__(self, folder: Path, kept: Path) -> None:
        self.folder, self.project, self.kept = folder, folder / "project", kept
        (self.project / "src").mkdir(parents=True, exist_ok=True)  # else Python would not look there for what comes
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
        scripts = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.environment |= {"PATH": scripts, "PYTHONPATH": f"{self.project / 'src'}{os.pathsep}{self.project}"}
        self.environment |= {"DVC_SITE_CACHE_DIR": str(folder / "dvc")}
        for name in ("release.key", "release.pub"):
            if not (folder / name).exists():
                shutil.copy2(kept.parent / name, folder / name)

    def begin(self, state: str) -> None:
        """The project as it is before each case."""
        for place in ("project", "place"):
            shutil.rmtree(self.folder / place, ignore_errors=True)
        subprocess.run(["cp", "-a", self.kept / state, self.project], check=True)
        (self.folder / "place").mkdir()

    def start(self, is_preloaded: bool = True) -> subprocess.Popen[bytes]:
        """The flow, at the head of a group of its own; its stages in forks of a process that has the libraries."""
        commands = f"{self.folder / 'commands'}{os.pathsep}" * is_preloaded
        with (self.folder / "flow.log").open("wb") as log:
            return subprocess.Popen(
                FLOW, cwd=self.project, env=self.environment | {"PATH": f"{commands}{self.environment['PATH']}"},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def said(self) -> list[str]:
        """The lines that the flow has said."""
        return (self.folder / "flow.log").read_text(errors="replace").strip().splitlines()

    def finish(self) -> None:
        """Runs the flow to its end.

        Raises:
            RuntimeError: it failed.
        """
        if self.start().wait(PATIENCE):
            raise RuntimeError("\n".join(self.said())[-1500:])

    def watched(self) -> str:
        """What is watched, as it is now."""
        found = []
        for name in WATCHED:
            place = self.project / name
            inner = "*" if name.startswith("raw") else "**/*"
            paths = sorted(place.glob(inner)) if place.is_dir() else [place]
            for path in paths:
                with suppress(FileNotFoundError):
                    found.append(f"{path} {path.stat().st_mtime_ns}")
        return "\n".join(found)

    def result(self) -> dict[str, str]:
        """What must be equal in the end: the files that the pipeline and people make, the releases, what is tracked."""
        found = {}
        for name in SAME:
            place = self.project / name
            for path in [place] if place.is_file() else sorted(path for path in place.rglob("*") if path.is_file()):
                found[str(path.relative_to(self.project))] = hashlib.sha256(path.read_bytes()).hexdigest()
        for place in (self.project / "signed", self.folder / "place"):
            for path in place.rglob("*"):
                if path.name == "manifest.json":
                    files = json.loads(path.read_text())["files"]
                    kept = {name: files[name] for name in files if name not in ("provenance.json",)}
                    told = hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()
                    found[str(path.relative_to(self.folder))] = told
                elif ".unfinished" in path.name:
                    found[str(path.relative_to(self.folder))] = "unfinished"
        made = [json.loads(path.read_text()) for path in sorted((self.project / "decisions").glob("[0-9]*.json"))]
        found["released"] = str([one["version"] for one in made if one["flow"] == "release"])
        found["promoted"] = str([one["version"] for one in made if one["decision"] == "promote"])
        changed = ["git", "status", "--porcelain", "--untracked-files=no"]
        found["git"] = subprocess.run(changed, cwd=self.project, capture_output=True, text=True).stdout
        return found

    def decisions(self) -> dict[str, bytes]:
        """The decisions as they are now."""
        return {path.name: path.read_bytes() for path in (self.project / "decisions").glob("[0-9]*.json")}

    def left(self) -> Iterator[str]:
        """The command lines of processes that do not end although all is done; ends them."""
        deadline = time.monotonic() + LINGERING
        while (running := list(self._running())) and time.monotonic() < deadline:
            time.sleep(0.2)
        for process in running:
            try:
                yield " ".join(process.cmdline())[:150]
                process.kill()
            except psutil.Error:
                pass

    def _running(self) -> Iterator[psutil.Process]:
        for process in psutil.process_iter():
            try:
                if process.cwd() == str(self.project) and process.status() != psutil.STATUS_ZOMBIE:
                    yield process
            except psutil.Error:
                pass


class Preloaded:
    """A process that has loaded the libraries, in a case's folder; see ``tests/e2e/preloaded.py``."""

    def __init__(self, case: Case) -> None:
        shutil.rmtree(case.folder / "commands", ignore_errors=True)
        (case.folder / "commands").mkdir()
        command = [sys.executable, ROOT / "tests/e2e/preloaded.py", case.folder / "commands"]
        self.process = subprocess.Popen(command, env=case.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout and self.process.stdout.readline()

    def end(self) -> None:
        """Lets go of the libraries."""
        assert self.process.stdin
        self.process.stdin.close()


def prepare(folder: Path, states: list[str]) -> None:
    """Makes the states, each from the one before, and the end of a whole run from those that are asked for."""
    if (folder / "expected.json").exists():
        return
    kept = folder / "kept"
    if not kept.exists():
        make_states(folder)
    case = Case(folder, kept)
    preloaded, told = Preloaded(case), {}
    for state in states:
        told[state] = whole_run(case, state)
        print(f"{state}: {told[state]['seconds']:.0f} s, {told[state]['writes']} writes that are watched", flush=True)
    preloaded.end()
    (folder / "expected.json").write_text(json.dumps(told))


def make_states(folder: Path) -> None:
    """The release of untrained weights, and the batch that waits; then what a flow does, part by part."""
    project, made = timeline.Project(folder), folder / "unfinished"
    project.begin(7, settings)
    text = Path("params.yaml").read_text().replace("run: random", "run: baseline")
    Path("params.yaml").write_text(text)
    Path("annotations/verdicts/mia.csv").write_text(f"{VERDICTS}{_some_face()},face,mia,2026-01-05T10:00:00+00:00,\n")
    for command in (["dvc", "repro", "-q"], ["git", "add", "-A"], ["git", "commit", "-qm", "The run that challenges"]):
        subprocess.run(command, check=True)
    timeline.new_people(timeline.Town(7, Path("raw/arrivals")), 1)
    from lrfr.retraining.challenge import challenge
    from lrfr.retraining.monitoring import look
    from lrfr.retraining.promotion import set_version

    shutil.rmtree(made, ignore_errors=True)
    made.mkdir()
    shutil.copytree(".", made / "arrived", symlinks=True)
    look(datetime.now(UTC))
    subprocess.run(["dvc", "repro", "-q", "pretrain@main", "training-sets"], check=True)
    shutil.copytree(".", made / "training", symlinks=True)
    subprocess.run(["dvc", "repro", "-q", "evaluate@baseline"], check=True)
    challenge(datetime.now(UTC))
    shutil.copytree(".", made / "promoted", symlinks=True)
    set_version("v0.2.0")
    for command in (["dvc", "repro", "-q"], ["git", "add", "-A"], ["git", "commit", "-qm", "What is to be released"]):
        subprocess.run(command, check=True)
    shutil.copytree(".", made / "packaged", symlinks=True)
    project.end()
    made.rename(folder / "kept")


def whole_run(case: Case, state: str) -> dict[str, Any]:
    """A run that nobody kills: its result, how long it takes, and how many writes are seen."""
    case.begin(state)
    seen, writes, begun = case.watched(), 0, time.monotonic()
    process = case.start()
    while process.poll() is None:
        now = case.watched()
        writes, seen = writes + (now != seen), now
        time.sleep(0.05)
    if process.returncode or case.result()["released"] != "['v0.2.0']":
        raise RuntimeError("nothing was released:\n" + "\n".join(case.said())[-3000:])
    shutil.copy2(case.folder / "flow.log", case.folder / f"whole-{state}.log")
    return {"result": case.result(), "seconds": time.monotonic() - begun, "writes": writes}


def _some_face() -> str:
    from lrfr import paths
    from lrfr.faces import read_faces

    return read_faces(paths.BENCHMARK, ["face_id"])["face_id"][0].as_py()


def kills(count: int, draw: random.Random, told: dict[str, Any], begin: str | None) -> list[Kill]:
    """Moments of the whole of a run, and moments about its writes."""
    made = []
    for number in range(count):
        state = begin or draw.choices(list(STATES), list(STATES.values()))[0]
        is_write = number // 2 % 2
        after = draw.randrange(1, told[state]["writes"] + 1) if is_write else 0
        delay = draw.uniform(0, 0.5 if is_write else told[state]["seconds"])
        made.append(Kill(state, after, delay, draw.random() < 0.5))
    return made


def attack(case: Case, kill: Kill, expected: dict[str, str]) -> tuple[str, str]:
    """Kills a run and lets it go on; when that was, and what is not as it should be then."""
    case.begin(kill.state)
    process, begun = case.start(kill.state != "training"), time.monotonic()
    seen, writes = case.watched(), 0
    while writes < kill.writes and process.poll() is None:
        now = case.watched()
        writes, seen = writes + (now != seen), now
        time.sleep(0.02)
    deadline = time.monotonic() + kill.delay
    while time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.01)
    ended, after = process.poll() is not None, time.monotonic() - begun
    if not ended:
        (os.killpg if kill.group else os.kill)(process.pid, signal.SIGKILL)
        process.wait()
    when = f"{after:.0f} s{', ended before' if ended else ''} | {_doing(case.said())}"
    decided = case.decisions()
    try:
        case.finish()
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        return when, f"{error}; {list(case.left())}"
    found, later = case.result(), case.decisions()
    wrong = [f"different: {name}" for name in sorted(expected | found) if expected.get(name) != found.get(name)][:5]
    wrong += [f"lost: {name}" for name in decided if later.get(name) != decided[name]]
    wrong += [f"still runs: {line}" for line in case.left()]
    return when, "; ".join(wrong)


def _doing(said: list[str]) -> str:
    """What the flow was at: the last line that it said."""
    if not said:
        return "start"
    return re.sub(r":?\s+\d+%.*", "", said[-1].rpartition(" - ")[2]).replace("|", "/").strip()[:60]


def run_share(folder: Path, kept: Path, mine: list[tuple[int, Kill]], told: dict[str, Any]) -> None:
    """Attacks, one after the other, in a folder of their own; writes a row for each."""
    case = Case(folder, kept)
    preloaded = Preloaded(case)
    for number, kill in mine:
        begun = time.monotonic()
        when, wrong = attack(case, kill, told[kill.state]["result"])
        whom = "all" if kill.group else "the parent"
        row = f"| {number} | {kill.state} | {whom} | {when} | {' '.join(wrong.split()).replace('|', '/') or EQUAL} |"
        with (folder / "rows.md").open("a") as file:
            file.write(f"{row}\n")
        print(f"{row} {time.monotonic() - begun:.0f} s", flush=True)
    preloaded.end()


def rows_of(folder: Path) -> list[str]:
    """The rows that were written, by number."""
    rows = [row for path in sorted(folder.glob("share-*/rows.md")) for row in path.read_text().splitlines()]
    return sorted(rows, key=lambda row: int(row.split("|")[1]))


def main() -> None:
    """Prepares, kills, and tells."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kills", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--share", help="such as 1/2: of the kills every second one, from the first on", default="1/1")
    parser.add_argument("--begin", choices=STATES, help="where all cases begin")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    folder, (share, shares) = chosen.folder.resolve(), map(int, chosen.share.split("/"))
    place = folder if shares == 1 else folder / f"share-{share}"
    place.mkdir(parents=True, exist_ok=True)
    enter(place)
    prepare(folder, [chosen.begin] if chosen.begin else [state for state, often in STATES.items() if often])
    told = json.loads((folder / "expected.json").read_text())
    done = {int(row.split("|")[1]) for row in rows_of(folder)}
    drawn = list(enumerate(kills(chosen.kills, random.Random(chosen.seed), told, chosen.begin), 1))
    left = [one for one in drawn[share - 1 :: shares] if one[0] not in done]
    if left:
        mine = folder / f"share-{share}"
        mine.mkdir(exist_ok=True)
        run_share(mine, folder / "kept", left, told)
    rows = rows_of(folder)
    if len(rows) < chosen.kills:
        return
    print(f"\n{HEAD}\n" + "\n".join(rows))
    equal = sum(row.endswith(f"| {EQUAL} |") for row in rows)
    for column, what in ((2, "where it began"), (3, "whom")):
        counted = Counter(row.split("|")[column].strip() for row in rows)
        print(f"by {what}: {', '.join(f'{name} {count}' for name, count in counted.most_common())}")
    print(f"\n{date.today()}: {equal} of {chosen.kills} ended as a run that nobody killed")
    sys.exit(equal < chosen.kills)


if __name__ == "__main__":
    main()
