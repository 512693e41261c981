"""One flow at a time in a project, and what a user is told where it cannot begin or go on.

A flow holds the lock itself, so that one that a server starts holds it too; within it, the flows that it calls do.
"""

import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from uuid import UUID

import httpx
from prefect import runtime
from prefect.exceptions import CancelledRun, FailedRun, ObjectNotFound
from prefect.states import Cancelled, Crashed, Failed, State

from lrfr.circumstances import told
from lrfr.errors import EnvironmentProblemError, LrfrError, OccupiedError
from lrfr.files import parse_json, write_json
from lrfr.flow_lock import LOCK, held

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

RUNS = LOCK.with_name("flow-runs.json")
MOST_RUNS = 100  # that are noted
SKIPPED = "Skipped"  # what a run is called that another one leaves no room for


def outcome(flow: str, work: Callable[[], State], prepare: Callable[[], object] | None = None) -> State:
    """The end of a flow that has the project for itself.

    Args:
        flow: its name.
        work: what it does.
        prepare: what has to be done first, unless a flow around this one has done it.

    Returns:
        The state of ``work``; ``Skipped`` where another flow runs, which the message names; failed, with one message,
        where a user can mend something.
    """
    _say_once()
    try:
        with alone(flow, prepare):
            return work()
    except OccupiedError as error:
        return Cancelled(name=SKIPPED, message=str(error).partition("\n")[0], data=str(error))
    except (LrfrError, FailedRun) as error:
        return Failed(message=str(error).partition("\n")[0], data=str(error))
    except OSError as error:
        if (message := told(error)) is None:
            raise
        return Failed(message=message, data=message)


def _say_once() -> None:
    """Keeps Prefect from logging a traceback of its own where a state has said what is amiss."""
    for name in ("prefect.flow_runs", "prefect.task_runs"):
        logging.getLogger(name).addFilter(_is_news)  # once, however often


def _is_news(record: logging.LogRecord) -> bool:
    raised = record.exc_info[1] if record.exc_info else None
    if raised is None or isinstance(raised, LrfrError) or told(raised):  # an empty one is printed as "NoneType: None"
        record.exc_info = None
    return not isinstance(raised, (FailedRun, CancelledRun))


@contextmanager
def alone(flow: str, prepare: Callable[[], object] | None = None) -> Iterator[None]:
    """Holds the project's lock; errors as :func:`lrfr.flow_lock.held`."""
    run = runtime.flow_run.id
    with held(flow, run) as killed:
        if killed is not None:
            print(f"{killed} was killed; this run goes on from what it left")
            if killed.run is not None:
                with suppress(Exception):  # another server's run, or no server at all
                    _declare_crashed(killed.run, f"{killed} was killed")
        if prepare is not None and _is_outermost():
            prepare()
        if run is not None:
            _note(run)
        _entered.append(flow)
        try:
            yield
        finally:
            _entered.pop()


_noted_here: list[str] = []  # the runs of this process
_entered: list[str] = []  # the flows that hold the lock, the outermost first


def _is_outermost() -> bool:
    return not _entered


def _note(run: str) -> None:
    """Notes a run, and sees to it that the server knows of the end of those that were noted before by other processes.

    A server that went away does not hear of a run's end, and would have it as running for good.
    """
    mine = [os.environ.get("PREFECT_API_URL", ""), str(run)]
    noted = _noted()
    if not _noted_here:
        noted = [each for each in noted if each[0] != mine[0] or not _settled(each[1])]
    _noted_here.append(run)
    write_json(RUNS, [*noted, mine][-MOST_RUNS:])


def _noted() -> list[list[str]]:
    try:
        return [[str(url), str(run)] for url, run in parse_json(RUNS.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):
        return []


def _settled(run: str) -> bool:
    """Whether the server knows that a run is no more, or knows nothing of it; tells it where it does not."""
    try:
        _declare_crashed(run, "it ended without the server; what it decided is kept, see decisions/")
    except ObjectNotFound:
        return True
    except Exception:  # the server's, or the way to it; the next run tries again
        return False
    return True


def _declare_crashed(run: str, why: str) -> None:
    """Tells the server, which waits for a word of it, that a run is no more, with its tasks and the flows within it.

    Raises what Prefect does.
    """
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        _crash(client, UUID(run), Crashed(message=why))


def _crash(client: "SyncPrefectClient", run: UUID, crashed: State) -> None:
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId, FlowRunFilterParentFlowRunId

    state = client.read_flow_run(run).state
    within = FlowRunFilter(parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[run]))
    for inner in client.read_flow_runs(flow_run_filter=within):
        _crash(client, inner.id, crashed)
    for task in client.read_task_runs(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[run]))):
        if task.state is not None and not task.state.is_final():
            client.set_task_run_state(task.id, crashed, force=True)
    if state is not None and not state.is_final():
        client.set_flow_run_state(run, crashed, force=True)


def run_alone(
    flow: str, work: Callable[[], object], interrupted: str, prepare: Callable[[], object] | None = None
) -> int:
    """Does the work of a command if no other flow runs in the project.

    Args:
        flow: its name.
        work: what to do.
        interrupted: what to say after an interrupt.
        prepare: as in :func:`outcome`; done before the server is started, which takes its time.

    Returns:
        The exit status: 0, 1 after a failure, 130 after an interrupt.
    """
    try:
        with alone(flow, prepare):
            work()
    except KeyboardInterrupt:
        print(f"error: interrupted; {interrupted}", file=sys.stderr)
        return 130
    except (LrfrError, FailedRun, CancelledRun) as error:
        return _failed(error)
    except httpx.TransportError as error:
        where, remedy = f"PREFECT_API_URL={os.environ.get('PREFECT_API_URL')}", "start it; then the next run goes on"
        what = f"Prefect's server went away in the middle: {error}"
        return _failed(EnvironmentProblemError(what, where=where, remedy=remedy))
    except OSError as error:
        if (message := told(error)) is None:
            raise
        return _failed(message)
    return 0


def _failed(what: object) -> int:
    print(f"error: {what}", file=sys.stderr)
    return 1
