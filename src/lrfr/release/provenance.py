"""Where a release comes from: the commit, DVC's hashes of all that led to it, and the environment."""

import hashlib
import json
import platform
import shutil
import subprocess
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from lrfr.errors import ReleaseError
from lrfr.release.manifest import files_of
from lrfr.yaml_file import parse_yaml, read_text

LOCK = Path("dvc.lock")
STAGE = "package"
REPRO = "dvc repro; then commit dvc.lock"


def provenance(package: Path) -> dict[str, Any]:
    """What ``provenance.json`` says.

    Args:
        package: what the stage ``package`` made; it must be what dvc.lock says.

    Raises:
        ReleaseError: git or DVC knows another state than the files have.
    """
    return {
        "commit": _commit(),
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "dvc": _dvc_hashes(package),
        "environment": _environment(),
    }


def git_tags(name: str) -> list[str]:
    """The versions of a release that GTO has registered in git, as ``v1.2.0``; none without git."""
    done = _git("tag", "--list", f"{name}@v*")
    lines = done.stdout.split() if done is not None and done.returncode == 0 else []
    return [line.partition("@")[2] for line in lines]


def _commit() -> str:
    """The commit that is checked out.

    Raises:
        ReleaseError: there is none, or files that git knows are not as committed.
    """
    head, changed = _git("rev-parse", "HEAD"), _git("status", "--porcelain", "--untracked-files=no")
    if head is None or changed is None or head.returncode or changed.returncode:
        remedy = "clone the project, or run: git init, git add . and git commit"
        raise ReleaseError("a release says of which commit it is, and git knows none here", remedy=remedy)
    if changed.stdout.strip():
        files = ", ".join(line[3:] for line in changed.stdout.rstrip().split("\n")[:3])
        what = "a release says of which commit it is, and files are not as committed"
        raise ReleaseError(what, where=files, remedy="commit them, or take them back, and make the release again")
    return head.stdout.strip()


def _git(*arguments: str) -> "subprocess.CompletedProcess[str] | None":
    git = shutil.which("git")
    return None if git is None else subprocess.run([git, *arguments], capture_output=True, text=True)


def _dvc_hashes(package: Path) -> dict[str, Any]:
    """DVC's MD5 of what each stage made and of what the package was made of.

    Raises:
        ReleaseError: dvc.lock does not know the package, or knows another one.
    """
    if not LOCK.is_file():
        raise ReleaseError("DVC's lock is missing", where=LOCK.absolute(), remedy=REPRO)
    stages = (parse_yaml(read_text(LOCK, "take it back: git checkout dvc.lock"), LOCK) or {}).get("stages", {})
    made = {out["path"]: out.get("md5") for stage in stages.values() for out in stage.get("outs", [])}
    if made.get(package.as_posix()) != folder_md5(package):
        raise ReleaseError("the package is not the one that DVC knows", where=package, remedy=REPRO)
    needed = {dep["path"]: dep.get("md5") for dep in stages.get(STAGE, {}).get("deps", [])}
    return {"outs": made, "deps": needed, "params": stages.get(STAGE, {}).get("params", {})}


def folder_md5(folder: Path) -> str:
    """A folder's hash as DVC has it: the MD5 of a JSON list of its files' MD5 and paths, with ``.dir``."""
    files = [{"md5": _md5(folder / path), "relpath": path} for path in files_of(folder)]
    listed = json.dumps(sorted(files, key=lambda file: file["relpath"]), sort_keys=True)
    return f"{hashlib.md5(listed.encode(), usedforsecurity=False).hexdigest()}.dir"


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _environment() -> dict[str, Any]:
    packages = {found.metadata["Name"]: found.version for found in distributions() if found.metadata["Name"]}
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "packages": dict(sorted(packages.items(), key=lambda item: item[0].lower())),
    }
