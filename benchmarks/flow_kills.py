"""Kills the flow ``monitor`` at random moments while it examines, trains, decides, releases and publishes; lets it go
on and compares the end with that of a run that nobody killed.

    sudo python benchmarks/flow_kills.py 60 FOLDER     # in the project's root, on Linux; some minutes a kill

Works in FOLDER, where nothing else of the machine can be written to, on a copy of the project with generated people, in
which a batch waits that ends in a release: what is released before are untrained weights. Half of the moments are drawn
from the whole of a run, half from where it writes what must not be lost.
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
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]
from benchmarks import timeline  # noqa: E402
from benchmarks.sandbox import enter  # noqa: E402

PATIENCE = 1800  # s
LINGERING = 60  # s that a process may go on for when all is done
SAME = ("metrics", "models", "data/evaluated", "raw", "annotations", "params.yaml")
WATCHED = ("decisions", "signed", "params.yaml", "../place", ".git/refs", "dvc.lock", "raw/arrivals", "raw/batches")
VERDICTS = "face_id,verdict,labeller,at,note\n"
EQUAL = "equal"
FLOW = [sys.executable, "-m", "flows.monitor", "--key", "../release.key", "--public", "../release.pub"]
FLOW += ["--place", "../place"]


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
    """When a run is killed, and whom: ``writes`` of what is watched have been seen, and ``delay`` s have passed since;
    the whole ``group`` or the parent alone."""

    writes: int
    delay: float
    group: bool


class Case:
    """A copy of the project in which the batch waits."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.project, self.kept = folder, folder / "project", folder / "kept"

    def begin(self) -> None:
        """The project as it is before each case."""
        for place in ("project", "place"):
            shutil.rmtree(self.folder / place, ignore_errors=True)
        subprocess.run(["cp", "-a", self.kept, self.project], check=True)
        (self.folder / "place").mkdir()

    def start(self) -> subprocess.Popen[bytes]:
        """The flow, at the head of a group of its own."""
        scripts = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        code = f"{self.project / 'src'}{os.pathsep}{self.project}"
        with (self.folder / "flow.log").open("wb") as log:
            return subprocess.Popen(
                FLOW, cwd=self.project, env=os.environ | {"PATH": scripts, "PYTHONPATH": code},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def finish(self) -> None:
        """Runs the flow to its end.

        Raises:
            RuntimeError: it failed.
        """
        if self.start().wait(PATIENCE):
            raise RuntimeError((self.folder / "flow.log").read_text(errors="replace")[-1500:])

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
                    found[str(path)] = hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()
                elif ".unfinished" in path.name:
                    found[str(path)] = "unfinished"
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


def prepare(folder: Path) -> None:
    """Makes the project, its release of untrained weights, and the batch that waits; and the end of a whole run."""
    if (folder / "expected.json").exists():
        return
    project = timeline.Project(folder)
    project.begin(7, settings)
    text = Path("params.yaml").read_text().replace("run: random", "run: baseline")
    Path("params.yaml").write_text(text)
    Path("annotations/verdicts/mia.csv").write_text(f"{VERDICTS}{_some_face()},face,mia,2026-01-05T10:00:00+00:00,\n")
    subprocess.run(["dvc", "repro", "-q"], check=True)
    subprocess.run(["git", "add", "-A"], check=True)
    subprocess.run(["git", "commit", "-qm", "The run that challenges"], check=True)
    timeline.new_people(timeline.Town(7, Path("raw/arrivals")), 1)
    project.end()
    case = Case(folder)
    subprocess.run(["mv", case.project, case.kept], check=True)
    case.begin()
    seen, writes, begun = case.watched(), 0, time.monotonic()
    process = case.start()
    while process.poll() is None:
        now = case.watched()
        writes, seen = writes + (now != seen), now
        time.sleep(0.05)
    if process.returncode or case.result()["released"] != "['v0.2.0']":
        raise RuntimeError(f"nothing was released:\n{(folder / 'flow.log').read_text()[-3000:]}")
    told = {"result": case.result(), "seconds": time.monotonic() - begun, "writes": writes}
    (folder / "expected.json").write_text(json.dumps(told))


def _some_face() -> str:
    from lrfr import paths
    from lrfr.faces import read_faces

    return read_faces(paths.BENCHMARK, ["face_id"])["face_id"][0].as_py()


def kills(count: int, draw: random.Random, seconds: float, writes: int) -> list[Kill]:
    """Moments of the whole of a run, and moments about its writes."""
    made = []
    for number in range(count):
        is_write = number % 2
        after = draw.randrange(1, writes + 1) if is_write else 0
        made.append(Kill(after, draw.uniform(0, 0.5 if is_write else seconds), draw.random() < 0.5))
    return made


def attack(case: Case, kill: Kill, expected: dict[str, str]) -> tuple[str, str]:
    """Kills a run and lets it go on; when that was, and what is not as it should be then."""
    case.begin()
    process, begun = case.start(), time.monotonic()
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
    log = (case.folder / "flow.log").read_text(errors="replace").strip().splitlines()
    when = f"{after:.0f} s{', ended before' if ended else ''}: {log[-1][-70:] if log else 'began'}"
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


def main() -> None:
    """Prepares, kills, and tells."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kills", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    enter(chosen.folder)
    folder = chosen.folder.resolve()
    prepare(folder)
    told, case = json.loads((folder / "expected.json").read_text()), Case(folder)
    print(f"a run that nobody kills: {told['seconds']:.0f} s, {told['writes']} writes that are watched", flush=True)
    print("\n| | killed | when | end |\n|---|---|---|---|", flush=True)
    equal = 0
    for number, kill in enumerate(kills(chosen.kills, random.Random(chosen.seed), told["seconds"], told["writes"]), 1):
        when, wrong = attack(case, kill, told["result"])
        equal += not wrong
        whom = "all" if kill.group else "the parent"
        print(f"| {number} | {whom} | {when.replace('|', '/')} | {' '.join(wrong.split()) or EQUAL} |", flush=True)
    print(f"\n{date.today()}: {equal} of {chosen.kills} ended as a run that nobody killed")
    sys.exit(equal < chosen.kills)


if __name__ == "__main__":
    main()
