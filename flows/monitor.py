"""Monitoring as a flow: ``python -m flows.monitor`` looks at what arrived, decides, and retrains where that is decided.

New batches are read and examined as ``params.yaml: retrain`` says, and admitted or refused, each as a whole. The
released model's reference tells whether the data drifted. ``lrfr.retraining`` decides; here it is run, shown and told.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed, State

from flows.alone import outcome, run_alone
from flows.artifacts import attach
from flows.notify import tell
from flows.pipeline import heed_signals, prepare
from flows.retrain import failed, read_arguments, retrain
from flows.server import connect
from lrfr.retraining.decisions import Decision

NAMES = {"nothing": "Completed", "warn": "Warned", "retrain": "Retrained"}  # what a run is called that decided so


@task(cache_policy=NO_CACHE, persist_result=False)
def look_at_arrivals() -> Decision:
    """Examines what arrived; keeps the decision."""
    from lrfr.retraining.monitoring import look

    return look(datetime.now(UTC), get_run_logger().info)


@flow(name="monitor", persist_result=False)
def monitor(
    key: Path | None = None,
    public: Path | None = None,
    certificate: Path | None = None,
    place: Path | None = None,
    notify: str | None = None,
) -> State:
    """Looks at what arrived, and retrains where it is worth it.

    Args:
        key: the private key that signs releases, PEM; without one nothing is released.
        public: the public key, or the certificates that vouch for the private one, PEM.
        certificate: on the private key, PEM.
        place: the folder to publish to.
        notify: the notification block that tells people, ``TYPE/NAME``.
    """
    signing = {"key": key, "public": public, "certificate": certificate, "place": place}
    state = outcome("monitor", lambda: look_and_act(signing, notify), prepare)
    if state.is_failed():
        tell(notify, f"monitor failed: {state.message}")
    return state


def look_and_act(signing: dict[str, Path | None], notify: str | None) -> State:
    """The work of the flow: first what a kill left of a release, then what arrived."""
    from lrfr.retraining.promotion import promised

    if signing["key"] and promised():
        left = retrain(**signing, notify=notify, return_state=True)  # pyrefly: ignore
        if not left.is_completed():
            return failed(left)
    decision = look_at_arrivals()
    attach(decision)
    why = decision.reasons[0]
    if decision.decision != "nothing":
        tell(notify, f"monitor: {decision.decision}: {why}")
    if decision.decision != "retrain":
        return Completed(name=NAMES[decision.decision], message=why)
    ended = retrain(**signing, notify=notify, return_state=True)  # pyrefly: ignore
    if not ended.is_completed():
        return failed(ended)
    return Completed(name=NAMES["retrain"], message=f"{why}; {ended.message}")


def main() -> int:
    """Runs the flow; returns the exit status: 0, 1 after a failure, 130 after an interrupt."""
    asked = read_arguments("monitor", "Looks at what arrived, and retrains where it is worth it.")
    heed_signals()

    def connect_and_run() -> None:
        connect()
        monitor(**asked)

    return run_alone("monitor", connect_and_run, "run the same command again to go on", prepare)


if __name__ == "__main__":
    sys.exit(main())
