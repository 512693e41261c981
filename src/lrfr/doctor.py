"""``lrfr doctor``: checks what the pipeline needs of this machine and says what to do about what is amiss.

Packages are looked up, not imported, so that the doctor answers at once and also when they are broken.
"""

import configparser
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryFile
from typing import Literal

import typer
from packaging.requirements import Requirement

from lrfr import flow_lock, memory, offline, paths
from lrfr.config import read_params
from lrfr.errors import LrfrError
from lrfr.manifests import KINDS, read_manifest
from lrfr.parallel import SHARED_MEMORY, cores
from lrfr.recovery import AtWorkError, recover
from lrfr.retraining import decisions
from lrfr.retraining.settings import Retrain

GIGABYTE = 1e9
DISK_NEEDED_GB = 2  # a run at the default size wrote 0.5 GB; there should be room for some more of them
PLACES = (".", ".dvc", ".dvc/tmp", ".dvc/cache", "data", "models", "metrics", "plots", "reports", "releases")
MEMORY_NEEDED_GB = 4  # pretraining, the largest stage, took 1.5 GB


NOUNS = {paths.VERDICTS: "", paths.NAMES: "names: ", paths.PAIR_VERDICTS: "on pairs: "}  # before each count
BESIDE_MANIFESTS = {"README.md", ".gitkeep", ".DS_Store"}


@dataclass(frozen=True)
class Finding:
    """What one check found; ``remedy`` says what to do unless all is well."""

    status: Literal["ok", "warning", "problem"]
    text: str
    remedy: str = ""


def examine() -> bool:
    """Runs every check, prints its finding, and returns whether there is no problem (a warning is none)."""
    findings = {name: check() for name, check in CHECKS.items()}
    for name, finding in findings.items():
        colour = {"ok": typer.colors.GREEN, "warning": typer.colors.YELLOW, "problem": typer.colors.RED}[finding.status]
        typer.echo(f"{typer.style(f'{finding.status:8}', fg=colour)} {name:10} {finding.text}")
        if finding.remedy:
            typer.echo(f"{'':19} what to do: {finding.remedy}")
    counts = {status: sum(f.status == status for f in findings.values()) for status in ("problem", "warning")}
    typer.echo(f"\nproblems: {counts['problem']}, warnings: {counts['warning']}")
    return counts["problem"] == 0


def check_python() -> Finding:
    """Which Python runs; an older one than lrfr needs would not have installed it."""
    return Finding("ok", f"{platform.python_version()} ({sys.executable})")


def check_packages(lock: Path = Path("requirements.lock")) -> Finding:
    """The installed packages are the locked ones."""
    if not lock.is_file():
        return Finding("problem", f"there is no {lock}", "run from the project's root")
    missing, different = [], []
    pins = [Requirement(line) for line in lock.read_text().splitlines() if "==" in line]
    pins = [pin for pin in pins if pin.marker is None or pin.marker.evaluate()]  # the others are for other machines
    for pin in pins:
        try:
            found = metadata.version(pin.name)
        except metadata.PackageNotFoundError:
            missing.append(pin.name)
            continue
        # Of 2.15.0+cpu and 2.15.0+cu130 the part behind the plus says which build it is
        if not pin.specifier.contains(found.partition("+")[0], prereleases=True):
            different.append(f"{pin.name} {found} (locked: {pin.specifier})")
    if missing:
        return Finding("problem", f"not installed: {_some(missing)}", f"uv pip install -r {lock}")
    if different:
        return Finding("warning", f"other versions than locked: {_some(different)}", f"uv pip install -r {lock}")
    return Finding("ok", f"all {len(pins)} as locked")


def check_disk() -> Finding:
    """There is space for what a run writes."""
    free = shutil.disk_usage(Path.cwd()).free / GIGABYTE
    text = f"{free:.0f} GB free; a run at the default size may need {DISK_NEEDED_GB}"
    if free < DISK_NEEDED_GB:
        remedy = "free space, for instance by `dvc gc --workspace`, which drops what former runs left in the cache"
        return Finding("problem" if free < 1 else "warning", text, remedy)
    return Finding("ok", text)


def check_places() -> Finding:
    """What a run writes to can be written to: the project, DVC's folder, and what the system gives every program."""
    refused = []
    for place in [*map(Path, PLACES), Path(SHARED_MEMORY)]:
        try:
            if place.exists():
                TemporaryFile(dir=place).close()
        except OSError as error:
            refused.append(f"{place} ({error.strerror})")
    try:
        TemporaryFile().close()
    except OSError as error:
        refused.append(f"no folder for temporary files: {error.strerror}")
    if refused:
        remedy = "let lrfr write there; the variable TMPDIR names the folder for temporary files"
        return Finding("problem", f"cannot be written to: {_some(refused)}", remedy)
    return Finding("ok", "the project's folders, DVC's, and those of the system can be written to")


def check_memory() -> Finding:
    """There is enough memory."""
    total = memory.usable() / GIGABYTE
    text = f"{total:.0f} GB; a run at the default size needs {MEMORY_NEEDED_GB}"
    if total < MEMORY_NEEDED_GB:
        return Finding("warning", text, "make the sizes in params.yaml smaller")
    return Finding("ok", text)


def check_processors() -> Finding:
    """How many cores this process may use, and which GPUs there are."""
    names = []
    if shutil.which("nvidia-smi"):
        query = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"]
        status, output = _output(query)
        if status != 0:
            return Finding(
                "warning", f"{cores()} cores; nvidia-smi fails", "mend the GPU's driver, or train on the CPU"
            )
        names = output.splitlines()
    return Finding("ok", f"{cores()} cores, GPU: {'; '.join(names) or 'none, which is fine at the default size'}")


def check_git() -> Finding:
    """The project is a git repository, and clean: a result belongs to a commit."""
    is_installed = shutil.which("git") is not None
    status, output = _output(["git", "status", "--porcelain"]) if is_installed else (1, "")
    if status != 0 and any((folder / ".git").exists() for folder in (Path.cwd(), *Path.cwd().parents)):
        remedy = "see what `git status` says" if is_installed else "install git"
        return Finding("warning", f"git {'fails' if is_installed else 'is not installed'}; DVC does without", remedy)
    if status != 0 and _dvc_config().getboolean("core", "no_scm", fallback=False):
        return Finding(
            "warning", "this is no git repository, and DVC knows: results have no commit", "clone the project"
        )
    if status != 0:
        remedy = "clone the project, or run: git init; or, to go without, what `make repro` does: "
        remedy += "dvc config --local core.no_scm true"
        return Finding("problem", "this is no git repository, and DVC needs one", remedy)
    if output:
        changed = len(output.splitlines())
        return Finding("warning", f"{changed} files differ from the last commit", "commit, so that results have a name")
    return Finding("ok", "clean")


def check_dvc() -> Finding:
    """DVC is initialised and phones nobody."""
    config = _dvc_config()
    if not config.sections():
        return Finding("problem", "DVC is not initialised here", "run from the project's root, or run: dvc init")
    for option in ("analytics", "check_update"):
        if config.get("core", option, fallback="true").lower() != "false":
            return Finding("warning", f"core.{option} is on: DVC phones home", f"dvc config core.{option} false")
    return Finding("ok", "initialised, analytics and update checks off")


def check_interruptions() -> Finding:
    """No DVC command is at work, and none was killed while it wrote; what one left is mended."""
    try:
        mended = recover()
    except AtWorkError as error:
        return Finding("warning", f"DVC is at work: {_some(list(error.args))}", "wait until it ends")
    except OSError as error:
        return Finding("problem", f"{error.strerror}: {error.filename}", "let lrfr read and write there")
    if mended:
        return Finding("warning", "; ".join(mended), "nothing: it is mended; to go on: make repro")
    return Finding("ok", "free: no DVC command is running")


def check_flow() -> Finding:
    """No flow runs, and none was killed."""
    holder = flow_lock.noted()
    if flow_lock.is_held():
        return Finding("warning", f"a flow runs: {holder or 'nobody noted which'}", "wait until it ends, or stop it")
    if holder is not None:
        remedy = "run it again, it goes on from there; python -m flows.monitor does what is left of a release too"
        return Finding("warning", f"a flow was killed: {holder}", remedy)
    return Finding("ok", "free: no flow is running")


def check_decisions() -> Finding:
    """Decisions about arrivals can be read, and the last one is not older than ``retrain.overdue`` allows."""
    try:
        made, limit = decisions.read_decisions(), read_params().read("retrain", Retrain).overdue
    except LrfrError as error:
        return _error(error)
    if not made:
        return Finding("ok", "none yet: no flow looks at arrivals")
    last = made[-1]
    days = (datetime.now(UTC) - datetime.fromisoformat(last.at)).days
    told = f"{last.flow} decided: {last.decision}, at {last.at}; {last.champion} is released"
    if days > limit:
        remedy = "see that the server and the worker, or flows.serve, run; in Prefect's pages a missed run is 'Late'"
        return Finding("warning", f"nothing was decided for {days} days; {told}", remedy)
    return Finding("ok", told)


def check_offline() -> Finding:
    """Nothing that we use phones home."""
    loud = [name for name, value in offline.VARIABLES.items() if os.environ.get(name) != value]
    if loud:
        advice = "; ".join(f"export {name}={offline.VARIABLES[name]}" for name in loud)
        return Finding("warning", f"set so that a library may use the network: {', '.join(loud)}", advice)
    return Finding("ok", "telemetry and update checks are off")


def check_params() -> Finding:
    """params.yaml can be read; what sources and methods alone understand is for ``lrfr check``, which needs torch."""
    try:
        params = read_params()
    except LrfrError as error:
        return _error(error)
    return Finding("ok", f"source {params.acquire.source}, runs {', '.join(params.methods)}")


def check_verdicts() -> Finding:
    """People's verdicts and names can be read, and nothing lies beside them that looks like some and is not read."""
    told, strange = [], []
    for folder, kind in KINDS.items():
        found = sorted(folder.glob("*")) if folder.is_dir() else []
        read = [path for path in found if path.suffix == ".csv"]
        strange += [str(path) for path in found if path.suffix != ".csv" and path.name not in BESIDE_MANIFESTS]
        try:
            count = sum(len(read_manifest(path, kind)) for path in read)
        except LrfrError as error:
            return _error(error)
        except OSError as error:
            return Finding("problem", f"{folder} cannot be read: {error}", "take it back from git's history")
        told += [f"{NOUNS[folder]}{count} in {len(read)} manifests"] if read else []
    if strange:
        remedy = "a manifest is called <labeller>.csv; rename what is one, and move the rest out"
        return Finding("warning", f"no command reads {_some(strange)}", remedy)
    return Finding("ok", "; ".join(told) or "no manifest yet")


CHECKS: dict[str, Callable[[], Finding]] = {
    "Python": check_python,
    "packages": check_packages,
    "disk": check_disk,
    "places": check_places,
    "memory": check_memory,
    "processors": check_processors,
    "git": check_git,
    "DVC": check_dvc,
    "DVC's lock": check_interruptions,
    "flows": check_flow,
    "decisions": check_decisions,
    "offline": check_offline,
    "params": check_params,
    "verdicts": check_verdicts,
}


def _dvc_config() -> configparser.ConfigParser:
    """What the project tells DVC; nothing where DVC is not initialised."""
    config = configparser.ConfigParser()
    config.read([".dvc/config", ".dvc/config.local"])
    return config


def _error(error: LrfrError) -> Finding:
    what, _, remedy = str(error).partition("\n  what to do: ")
    return Finding("problem", what.replace("\n  where:", ", in"), remedy or "correct that")


def _some(names: list[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _output(command: list[str]) -> tuple[int, str]:
    """Exit status and standard output of a short command."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return 1, ""
    return done.returncode, done.stdout.strip()
