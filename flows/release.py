"""A release as a flow: ``python -m flows.release --key release.key --public release.pub``.

It asks DVC whether all is up to date, makes and verifies the release, lets DVC track it and pushes to the remote, and
publishes it where a place is given. What is left is said at the end: the commit and GTO's tags are people's decision.
"""

import argparse
import sys
from pathlib import Path

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed, State

from flows.alone import outcome, run_alone
from flows.plan import outdated, read_plan
from flows.processes import Processes
from flows.server import connect
from lrfr.errors import ReleaseError

processes = Processes()
SHOWN = 5  # stages that are out of date


@task(cache_policy=NO_CACHE, persist_result=False)
def check_up_to_date() -> None:
    """Raises where a release would not be of what the parameters, the data and the code say.

    Raises:
        ReleaseError: stages are out of date, or DVC cannot tell.
    """
    from dvc.exceptions import DvcException
    from dvc.scm import SCMError

    try:
        stale = sorted(outdated(read_plan()))
    except (DvcException, SCMError) as error:
        raise ReleaseError(f"DVC cannot tell what is out of date: {error}", remedy="lrfr doctor") from error
    if stale:
        others = f", and {len(stale) - SHOWN} more" if len(stale) > SHOWN else ""
        remedy = "dvc repro; then commit dvc.lock"
        raise ReleaseError(f"stages are out of date: {', '.join(stale[:SHOWN])}{others}", remedy=remedy)


@task(cache_policy=NO_CACHE, persist_result=False)
def make_release(key: Path | None, certificate: Path | None) -> Path:
    """Makes the release; returns its folder."""
    from lrfr.release.making import make

    return make(key, certificate, get_run_logger().info)


@task(cache_policy=NO_CACHE, persist_result=False)
def verify_release(folder: Path, public: Path | None) -> str:
    """Verifies the release as anybody would; returns its tag."""
    from lrfr.release.trial import verify

    return verify(str(folder), public, get_run_logger().info).tag


@task(cache_policy=NO_CACHE, persist_result=False)
def run_dvc(*arguments: str) -> None:
    """Runs a command of DVC's.

    Raises:
        ReleaseError: it failed, as where the remote is away.
    """
    log = get_run_logger()
    status, lines = processes.stream([sys.executable, "-m", "dvc", *arguments], lambda line: log.info("%s", line))
    if status:
        reason = next((line for line in lines if line.startswith("ERROR")), lines[-1] if lines else "it says nothing")
        remedy = "see that the remote is there, and run again what is left: docs/releases.md"
        raise ReleaseError(f"dvc {arguments[0]} failed: {reason}", remedy=remedy)


@task(cache_policy=NO_CACHE, persist_result=False)
def publish_release(folder: Path, place: Path, public: Path | None) -> None:
    """Copies the release to where others fetch it from."""
    from lrfr.release.publishing import publish

    publish(str(folder), place, public, get_run_logger().info)


@flow(name="release", persist_result=False)
def release(key: Path | None, public: Path | None, certificate: Path | None = None, place: Path | None = None) -> State:
    """Makes, verifies, tracks, pushes and publishes the release of what the pipeline packaged; goes on with one that a
    kill left between two of these."""
    return outcome("release", lambda: release_packaged(key, public, certificate, place))


def release_packaged(key: Path | None, public: Path | None, certificate: Path | None, place: Path | None) -> State:
    """The work of the flow; errors as those of its tasks."""
    check_up_to_date()
    folder = begun() or make_release(key, certificate)
    tag = verify_release(folder, public)
    run_dvc("add", folder.as_posix())
    if has_remote():
        run_dvc("push", folder.as_posix())
    name, _, version = tag.partition("@")
    if place is not None and not (place / name / version).exists():
        publish_release(folder, place, public)
    for line in (
        f"git add {folder.as_posix()}.dvc {folder.parent.as_posix()}/.gitignore && git commit -m 'Release {tag}'",
        f"gto register {name} --version {version}",
        f"gto assign {name} --version {version} --stage staging",
        "git push && git push --tags",
    ):
        get_run_logger().info("to do: %s", line)
    return Completed(message=f"{tag} is made and verified")


def begun() -> Path | None:
    """The signed release of the very package that is there: a kill may have come before all was done with it."""
    from lrfr import paths
    from lrfr.config import read_params
    from lrfr.release.layout import FACTS, MODEL
    from lrfr.release.making import signed
    from lrfr.release.manifest import sha256
    from lrfr.release.settings import Release

    if not paths.SIGNED.is_dir():
        return None
    asked = read_params().read("release", Release)
    folder, package = signed(asked.name) / asked.version, paths.RELEASES / asked.name
    if not folder.is_dir():
        return None
    pairs = [(place / name for place in (folder, package)) for name in (MODEL, FACTS)]
    return folder if all(len({sha256(path) for path in pair if path.is_file()}) == 1 for pair in pairs) else None


def has_remote() -> bool:
    """Whether DVC has a default remote to push to."""
    from dvc.config import Config

    return bool(Config.from_cwd()["core"].get("remote"))


def main() -> int:
    """Runs the flow; returns the exit status: 0, 1 after a failure, 130 after an interrupt."""
    parser = argparse.ArgumentParser(prog="python -m flows.release", description=release.__doc__)
    parser.add_argument("--key", type=Path, help="private key, PEM")
    parser.add_argument("--certificate", type=Path, help="on that key, and its chain, PEM")
    parser.add_argument("--public", type=Path, help="public key, or the certificates that vouch for the one, PEM")
    parser.add_argument("--place", type=Path, help="the folder to publish to")
    asked = parser.parse_args()

    def connect_and_release() -> None:
        try:
            connect()
            release(asked.key, asked.public, asked.certificate, asked.place)
        except KeyboardInterrupt:
            processes.stop()
            raise

    return run_alone("release", connect_and_release, "a release is whole or not there, so run the same command again")


if __name__ == "__main__":
    sys.exit(main())
