"""Retraining as a flow: ``python -m flows.retrain`` trains what changed, and holds the new model against the released
one.

A challenger that passes every gate of ``params.yaml: retrain.gate`` is promoted. With a key it is released at once:
the version is raised, the package made, committed, signed, tracked, pushed, and published where a place is given.
Without one, people do that. Nothing is pushed to git.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed, Failed, State

from flows.alone import outcome, run_alone
from flows.artifacts import attach
from flows.notify import tell
from flows.pipeline import heed_signals, pipeline, prepare
from flows.release import release
from flows.server import connect
from lrfr import paths
from lrfr.config import read_params
from lrfr.errors import ReleaseError
from lrfr.retraining.decisions import Decision

KEPT, PROMOTED, RELEASED = "Kept", "Promoted", "Released"  # what a run is called that ended so


@task(cache_policy=NO_CACHE, persist_result=False)
def hold_against_champion() -> Decision:
    """Compares the new model with the released one; keeps the decision."""
    from lrfr.retraining.challenge import challenge

    return challenge(datetime.now(UTC), get_run_logger().info)


@task(cache_policy=NO_CACHE, persist_result=False)
def commit(message: str) -> None:
    """Commits what a retraining changes: parameters, DVC's lock, decisions, and what DVC tracks of releases.

    Raises:
        ReleaseError: git cannot, as where it does not know who commits.
    """
    changed = [str(path) for path in (paths.PARAMS, Path("dvc.lock"), paths.DECISIONS, paths.SIGNED) if path.exists()]
    _git("add", "--", *changed)
    staged = _git("diff", "--cached", "--name-only", "-z", "--", *changed)  # of a folder git may know nothing
    if names := [name for name in staged.split("\0") if name]:
        _git("commit", "--quiet", "--message", message, "--", *names)


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True)
    if done.returncode:
        what = (done.stderr or done.stdout).strip().partition("\n")[0]
        remedy = "mend that (if git asks who you are: git config user.name, user.email); then run the flow again"
        raise ReleaseError(f"git {arguments[0]} failed: {what}", remedy=remedy)
    return done.stdout.strip()


@flow(name="retrain", persist_result=False)
def retrain(
    key: Path | None = None,
    public: Path | None = None,
    certificate: Path | None = None,
    place: Path | None = None,
    notify: str | None = None,
) -> State:
    """Trains what changed, and lets the released model be replaced only by one that is provably better.

    Args:
        key: the private key that signs releases, PEM; without one nothing is released.
        public: the public key, or the certificates that vouch for the private one, PEM.
        certificate: on the private key, PEM.
        place: the folder to publish to.
        notify: the notification block that tells people, ``TYPE/NAME``.
    """
    signing = {"key": key, "public": public, "certificate": certificate, "place": place}
    state = outcome("retrain", lambda: train_and_judge(signing, notify), prepare)
    if state.is_failed():
        tell(notify, f"retrain failed: {state.message}")
    return state


def train_and_judge(signing: dict[str, Path | None], notify: str | None) -> State:
    """The work of the flow; goes on with a promotion that a kill left unreleased."""
    from lrfr.retraining.challenge import challenger
    from lrfr.retraining.champion import champion
    from lrfr.retraining.promotion import promised

    promotion = promised() if signing["key"] else None
    if promotion is None:
        params = read_params()
        champion(params)  # before hours of training
        trained = pipeline([f"evaluate@{challenger(params)}"], return_state=True)  # pyrefly: ignore
        if not trained.is_completed():
            return failed(trained)
        promotion = hold_against_champion()
        attach(promotion)
        tell(notify, f"retrain: {promotion.decision}: {promotion.reasons[0]}")
        if promotion.decision == "keep":
            return Completed(name=KEPT, message=f"{promotion.champion} stays: {promotion.reasons[0]}")
    if signing["key"] is None:
        todo = f"release.version: {promotion.version} in params.yaml, make repro, git commit, python -m flows.release"
        return Completed(name=PROMOTED, message=f"better than {promotion.champion}; to release it: {todo}")
    return release_promoted(promotion, signing, notify)


def release_promoted(promotion: Decision, signing: dict[str, Path | None], notify: str | None) -> State:
    """Releases a challenger that was promoted; each step may have been done before a kill."""
    from lrfr.retraining.promotion import keep_release, set_version

    set_version(str(promotion.version))
    packaged = pipeline(return_state=True)  # pyrefly: ignore
    if not packaged.is_completed():
        return failed(packaged)
    commit(f"Retrained: better than {promotion.champion}")
    released = release(**signing, return_state=True)  # pyrefly: ignore
    if not released.is_completed():
        return failed(released)
    made = keep_release(promotion, datetime.now(UTC))
    commit(f"Release {made.champion}")
    attach(made)
    tell(notify, f"retrain: {made.reasons[0]}")
    return Completed(name=RELEASED, message=made.reasons[0])


def failed(state: State) -> State:
    """The end of a flow of which a part did not come to its own."""
    said: Any = state.result(raise_on_failure=False)
    return Failed(message=state.message, data=str(said) if said is not None else state.message)


def read_arguments(program: str, description: str | None, given: Sequence[str] | None = None) -> dict[str, Any]:
    """What a command of a flow that may release is given."""
    parser = argparse.ArgumentParser(prog=f"python -m flows.{program}", description=description)
    add_arguments(parser)
    return vars(parser.parse_args(given))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of a flow that may release."""
    parser.add_argument("--key", type=Path, help="private key, PEM; a better model is then released")
    parser.add_argument("--certificate", type=Path, help="on that key, and its chain, PEM")
    parser.add_argument("--public", type=Path, help="public key, or the certificates that vouch for the one, PEM")
    parser.add_argument("--place", type=Path, help="the folder to publish to")
    parser.add_argument("--notify", metavar="TYPE/NAME", help="a notification block of Prefect's")


def main() -> int:
    """Runs the flow; returns the exit status: 0, 1 after a failure, 130 after an interrupt."""
    asked = read_arguments("retrain", "Trains what changed; replaces the released model if the new one is better.")
    heed_signals()

    def connect_and_run() -> None:
        connect()
        retrain(**asked)

    return run_alone("retrain", connect_and_run, "run the same command again to go on", prepare)


if __name__ == "__main__":
    sys.exit(main())
