"""One flow at a time in a project, and what a user is told where it cannot begin or go on.

A flow holds the lock itself, so that one that a server starts holds it too; within it, the flows that it calls do.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from uuid import UUID

from prefect import runtime
from prefect.exceptions import CancelledRun, FailedRun
from prefect.states import Cancelled, Crashed, Failed, State

from lrfr.circumstances import told
from lrfr.errors import LrfrError, OccupiedError
from lrfr.flow_lock import Holder, held

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

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


@contextmanager
def alone(flow: str, prepare: Callable[[], object] | None = None) -> Iterator[None]:
    """Holds the project's lock; errors as :func:`lrfr.flow_lock.held`."""
    run = runtime.flow_run.id
    with held(flow, run) as killed:
        if killed is not None:
            print(f"{killed} was killed; this run goes on from what it left")
            _declare_crashed(killed)
        if prepare is not None and _is_outermost():
            prepare()
        _entered.append(flow)
        try:
            yield
        finally:
            _entered.pop()


_entered: list[str] = []  # the flows that hold the lock, the outermost first


def _is_outermost() -> bool:
    return not _entered


def _declare_crashed(killed: Holder) -> None:
    """Tells the server, which waits for a word of it, that a run is no more, with its tasks and the flows within it."""
    if killed.run is None:
        return
    from prefect.client.orchestration import get_client

    with suppress(Exception), get_client(sync_client=True) as client:  # another server's run, or no server at all
        _crash(client, UUID(killed.run), Crashed(message=f"{killed} was killed"))


def _crash(client: "SyncPrefectClient", run: UUID, crashed: State) -> None:
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId, FlowRunFilterParentFlowRunId

    within = FlowRunFilter(parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[run]))
    for inner in client.read_flow_runs(flow_run_filter=within):
        _crash(client, inner.id, crashed)
    for task in client.read_task_runs(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[run]))):
        if task.state is not None and not task.state.is_final():
            client.set_task_run_state(task.id, crashed, force=True)
    state = client.read_flow_run(run).state
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
    except OSError as error:
        if (message := told(error)) is None:
            raise
        return _failed(message)
    return 0


def _failed(what: object) -> int:
    print(f"error: {what}", file=sys.stderr)
    return 1
