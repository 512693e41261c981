"""The pipeline as a flow: ``python -m flows.pipeline`` runs DVC's stages, independent ones side by side.

DVC runs one stage after another. The flow asks it once for its graph and for what is stale, and then starts a
``dvc repro`` per stage as soon as what the stage needs is made and there are cores for it (``meta: {cores: 2}`` in
dvc.yaml, or ``all``; 1 if nothing is said). Stages with ``meta: {gpu: true}`` never run side by side.
"""

import argparse
import signal
import sys

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.futures import as_completed
from prefect.states import Completed, Failed, State

from flows.alone import outcome, run_alone
from flows.artifacts import attach_failure, attach_leaderboard, attach_page
from flows.plan import leading_to, outdated, read_plan, startable
from flows.processes import Processes
from flows.server import connect
from lrfr import paths
from lrfr.parallel import cores
from lrfr.recovery import recover_patiently

OUTCOMES = {"didn't change, skipping": "up to date", "is cached - skipping run": "taken from the cache"}  # DVC's words
# DVC's advice after every stage; once, at the end of `dvc repro`, it would be welcome
ADVICE = ("To track the changes", "git add ", "To enable auto staging", "dvc config core.autostage", "Use `dvc push`")

processes = Processes()


@task(task_run_name="{name}", cache_policy=NO_CACHE, persist_result=False)
def run_stage(name: str) -> State:
    """Lets DVC run one stage, whose needs are met."""
    command = [sys.executable, "-m", "dvc", "--wait-for-lock", "repro", "--single-item", name]
    log = get_run_logger()
    status, lines = processes.stream(command, lambda line: line.lstrip().startswith(ADVICE) or log.info("%s", line))
    if status == 0:
        return Completed(message=next((OUTCOMES[w] for w in OUTCOMES for line in lines if w in line), "done"))
    # From our own message on, where there is one; else the end of whatever was printed
    start = next((i for i, line in enumerate(lines) if line.startswith("error: ")), max(0, len(lines) - 15))
    what = f"the stage '{name}' failed"
    reason = next((line.removeprefix("error: ").rstrip(":") for line in lines[start : start + 1]), "it says nothing")
    return Failed(message=f"{what}: {reason}", data="\n".join([what, *lines[start:]]))


@flow(name="pipeline", persist_result=False)
def pipeline(targets: list[str] | None = None) -> State:
    """Runs all that is out of date, or what some stages need; stops at a failed stage, after those that run beside it.

    Args:
        targets: the stages that are wanted, as DVC names them; all when None.
    """
    return outcome("pipeline", lambda: run_stale(targets), prepare)


def prepare() -> None:
    """Mends what a kill left of DVC's files, and checks the whole of params.yaml."""
    from lrfr.stages import check  # torch comes with it: --help need not wait, and an interrupt is caught

    recover_patiently()
    check.run()


def run_stale(targets: list[str] | None) -> State:
    """Runs the stages that are out of date, independent ones side by side."""
    from dvc.exceptions import DvcException
    from dvc.scm import SCMError

    log = get_run_logger()
    try:
        plan = read_plan()
    except SCMError as error:  # a downloaded archive
        remedy = "clone the project, or run: git init; or, to go without: dvc config --local core.no_scm true"
        return Failed(message="no git repository", data=f"{error}\n  what to do: {remedy}")
    except DvcException as error:
        return Failed(message=f"DVC cannot tell what to do: {error}")
    plan = plan if targets is None else leading_to(plan, targets)
    unfinished = outdated(plan)
    log.info("%d of %d stages are up to date", len(plan) - len(unfinished), len(plan))
    failures: list[State] = []
    running = {}
    try:
        while unfinished:
            names = [] if failures else startable(plan, unfinished, set(running.values()), cores())
            running |= {run_stage.submit(name): name for name in names}
            if not running:
                break
            future = next(as_completed(list(running)))
            name = running.pop(future)
            future.wait()  # the state is final only after that
            if future.state.is_completed():
                log.info("%s: %s", name, future.state.message)
                unfinished.discard(name)
            else:
                failures.append(future.state)
                attach_failure(name, str(future.result(raise_on_failure=False)))
    except BaseException:
        log.warning("stopping; training saves its state (Ctrl-C again: stop at once)")
        processes.stop()
        raise
    if failures:
        said = [str(failure.result(raise_on_failure=False)) for failure in failures]
        return Failed(message=failures[0].message, data="\n".join(said))
    attach_report()
    return Completed(message="all stages are up to date")


def attach_report() -> None:
    """Hangs the leaderboard, and where the report is, on the flow's run."""
    if paths.REPORT.is_file():
        attach_leaderboard()
        attach_page("report-page", paths.REPORT)
        get_run_logger().info("The report: %s", paths.REPORT.absolute())


def main() -> int:
    """Runs the flow; returns the exit status: 0, 1 after a failure, 130 after an interrupt."""
    argparse.ArgumentParser(prog="python -m flows.pipeline", description=pipeline.__doc__).parse_args()
    heed_signals()

    def connect_and_run() -> None:
        connect()
        pipeline()

    return run_alone("pipeline", connect_and_run, "run the same command again to go on", prepare)


def heed_signals() -> None:
    """Lets the signals that end a session or a service end a flow in order."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # as it is under nohup
            signal.signal(number, signal.default_int_handler)


if __name__ == "__main__":
    sys.exit(main())
