"""The server that a flow talks to: the one that PREFECT_API_URL names, or a temporary one, for this flow alone.

The temporary one listens on the loopback interface, on a port that the kernel chooses, answers requests for that
address alone, and wants a key that is drawn anew each time. It watches its standard input, a pipe of the flow's, which
the kernel closes when the flow is gone, killed or not. Prefect's own temporary server does none of this.
"""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lrfr.errors import EnvironmentProblemError

if TYPE_CHECKING:
    import uvicorn

HOST = "127.0.0.1"
LOOPBACK = (HOST, "localhost", "::1")
PATIENCE = 120  # s; a start takes 12 to 17 s on two busy cores
LOG = "server.log"  # in Prefect's home
ROOM = 8e6  # bytes that its database takes at first, and some more

_running: list[subprocess.Popen[bytes]] = []  # one at most; what is forgotten would be closed


def connect() -> None:
    """Sees to it that Prefect has a server that answers.

    Raises:
        EnvironmentProblemError: the server that the user names does not answer, or a temporary one does not start.
    """
    from prefect.context import refresh_global_settings_context
    from prefect.settings import PREFECT_API_URL, PREFECT_HOME

    address = PREFECT_API_URL.value()
    if not address or urlsplit(address).hostname in LOOPBACK:
        os.environ["NO_PROXY"] = os.environ["no_proxy"] = "*"  # what runs here needs no other network either
    if address:
        _check(address)
        return
    home = PREFECT_HOME.value()
    try:
        os.environ["PREFECT_API_URL"], os.environ["PREFECT_API_AUTH_STRING"] = _start(home)
    except OSError as error:
        what = f"Prefect cannot write to its home: {error.strerror}"
        raise EnvironmentProblemError(what, where=home, remedy="set PREFECT_HOME to a folder of yours") from error
    os.environ["PREFECT_UI_URL"] = ""  # it has no pages, so nobody is sent to them
    refresh_global_settings_context()


def _check(address: str) -> None:
    """Asks the server that the user names, as Prefect would, through a proxy where one is set."""
    import httpx

    try:
        status = httpx.get(f"{address.rstrip('/')}/health", timeout=10).status_code
        said = f"status {status}" if status >= 500 or status == 407 else None
    except (httpx.HTTPError, httpx.InvalidURL, ImportError, ValueError) as error:  # the last two: an unknown proxy
        said = str(error) or type(error).__name__
    if said is None:
        return
    proxy = _proxy(address)
    through = f", through the proxy of {proxy}" if proxy else ""
    mend = f"correct or unset {proxy}, or name the host in NO_PROXY; or " if proxy else "start it; or "
    raise EnvironmentProblemError(
        f"Prefect's server does not answer: {said}",
        where=f"PREFECT_API_URL={address}{through}",
        remedy=f"{mend}unset PREFECT_API_URL, and the flow starts a temporary server of its own",
    )


def _proxy(address: str) -> str | None:
    """The variable that sends requests for an address through a proxy."""
    from urllib.request import proxy_bypass

    url = urlsplit(address)
    if proxy_bypass(url.hostname or ""):
        return None
    names = [f"{url.scheme}_proxy", "all_proxy"]
    return next((name for lower in names for name in (lower, lower.upper()) if os.environ.get(name)), None)


def _start(home: Path) -> tuple[str, str]:
    """Starts a temporary server, with its database and its log in ``home``; the address of its API, and its key."""
    home.mkdir(parents=True, exist_ok=True)
    key = secrets.token_urlsafe(32)
    with socket.create_server((HOST, 0)) as listening, (home / LOG).open("wb") as log:
        origin = f"http://{HOST}:{listening.getsockname()[1]}"
        settings = {
            "PREFECT_SERVER_API_AUTH_STRING": key,
            "PREFECT_API_AUTH_STRING": key,
            "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": origin,  # no page of anybody's
            "PREFECT_SERVER_UI_ENABLED": "false",
        }
        process = subprocess.Popen(
            [sys.executable, "-P", __file__, str(listening.fileno())],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env=os.environ | settings,
            pass_fds=[listening.fileno()],
            start_new_session=True,  # a Ctrl-C in the terminal is for the flow, which ends in order
        )
    _running.append(process)
    deadline = time.monotonic() + PATIENCE
    while not _answers(f"{origin}/api/health"):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise _not_started(home)
        time.sleep(0.1)
    return f"{origin}/api", key


def _not_started(home: Path) -> EnvironmentProblemError:
    what = "Prefect's temporary server does not start"
    if shutil.disk_usage(home).free < ROOM:
        return EnvironmentProblemError(f"{what}: the disk is full", where=home, remedy="free space, run it again")
    said = next(filter(None, reversed((home / LOG).read_text(errors="replace").split("\n"))), "it says nothing")
    remedy = "read that log; or name a server: PREFECT_API_URL"
    return EnvironmentProblemError(f"{what}: {said}", where=home / LOG, remedy=remedy)


def _answers(address: str) -> bool:
    import httpx

    try:
        return httpx.get(address, trust_env=False, timeout=5).is_success
    except httpx.HTTPError:
        return False


def _serve(listening: socket.socket) -> None:
    """Serves until standard input ends."""
    servers: list[Any] = []
    threading.Thread(target=_end_with_flow, args=[servers], daemon=True).start()  # first: the imports take seconds
    import uvicorn
    from prefect.server.api.server import create_app
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    app = TrustedHostMiddleware(create_app(ephemeral=True, final=True), allowed_hosts=[HOST])
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on"))
    servers.append(server)
    server.run([listening])


def _end_with_flow(servers: "list[uvicorn.Server]") -> None:
    os.read(0, 1)  # nothing is ever written; sys.stdin would hold its lock while this process ends
    for server in servers:
        server.should_exit = True
        time.sleep(5)  # for what is on its way into the database
    os._exit(0)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
