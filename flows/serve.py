"""The flows on a schedule, by one process and without a work pool: ``python -m flows.serve``.

It needs Prefect's server (``prefect server start``), which knows the schedule, and which PREFECT_API_URL names. For a
work pool with workers there is ``prefect.yaml``; docs/retraining.md has both.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from flows.retrain import add_arguments
from flows.server import connect
from lrfr.errors import EnvironmentProblemError, LrfrError

WEEKLY = "0 3 * * 1"  # Mondays at three, UTC
NAME = "here"  # of the deployments
LOOKS = "looks at what arrived; retrains, and releases with a key, where that is decided"
TRAINS = "trains what changed, whatever arrived"
RUNS = "runs all that is out of date"


def main() -> int:
    """Serves until it is stopped; returns the exit status: 0, 1 where it cannot begin."""
    parser = argparse.ArgumentParser(prog="python -m flows.serve", description="Runs the flow monitor on a schedule.")
    parser.add_argument("--cron", default=WEEKLY, help=f"when, UTC; default: '{WEEKLY}', Mondays at three")
    add_arguments(parser)
    asked = vars(parser.parse_args())
    try:
        _check_server()
        connect()
    except LrfrError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return _serve(asked.pop("cron"), {name: value for name, value in asked.items() if value is not None})


def _check_server() -> None:
    from prefect.settings import PREFECT_API_URL

    if not PREFECT_API_URL.value():
        remedy = "prefect server start; then: export PREFECT_API_URL=http://127.0.0.1:4200/api"
        raise EnvironmentProblemError(
            "a schedule needs Prefect's server, and PREFECT_API_URL names none", remedy=remedy
        )


def _serve(cron: str, parameters: dict[str, Any]) -> int:
    """Tells the server of the flows, and runs what it says is due."""
    from prefect import serve
    from prefect.deployments.runner import EntrypointType

    from flows.monitor import monitor
    from flows.pipeline import pipeline
    from flows.retrain import retrain

    paths = {name: str(Path(value).absolute()) if name != "notify" else value for name, value in parameters.items()}
    here = os.pathsep.join([str(Path.cwd()), *filter(None, [os.environ.get("PYTHONPATH")])])
    os.environ["PYTHONPATH"] = here  # runs are processes of their own, which import `flows`
    by_module = {"entrypoint_type": EntrypointType.MODULE_PATH}
    try:
        scheduled = monitor.to_deployment(NAME, cron=cron, parameters=paths, description=LOOKS, **by_module)
    except ValueError as error:
        what = str(error).strip().split("\n")[-1].strip()
        print(
            f"error: '{cron}' is no schedule: {what}\n  what to do: five fields: minute hour day month weekday",
            file=sys.stderr,
        )
        return 1
    trains = retrain.to_deployment(NAME, parameters=paths, description=TRAINS, **by_module)
    runs = pipeline.to_deployment(NAME, description=RUNS, **by_module)
    serve(scheduled, trains, runs)  # pyrefly: ignore
    return 0


if __name__ == "__main__":
    sys.exit(main())
