"""A command ``lrfr`` that starts at once, for pipelines of many stages whose work takes less time than their imports.

    python preloaded.py FOLDER

puts the command into FOLDER and serves it there: each call runs in a fork of this process, which has loaded the
libraries and nothing of lrfr, and which ends when the call is killed. The process ends when its standard input does.
"""

import importlib
import json
import os
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path

LIBRARIES = (
    "albumentations", "cv2", "evidently", "great_expectations", "lightning_fabric", "onnx", "onnxruntime", "pandas",
    "pyarrow.parquet", "scipy.stats", "sklearn.ensemble", "timm", "torch", "typer",
)  # fmt: skip
COMMAND = """\
#!{python} -IS
import json, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
socket.send_fds(server, [json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode() + b"\\0"], [0, 1, 2])
sys.exit(int(server.makefile().read() or 1))
"""


def main(folder: Path) -> None:
    """Serves until standard input ends."""
    threading.Thread(target=_end_with_input, daemon=True).start()
    for library in LIBRARIES:
        importlib.import_module(library)
    listener = socket.socket(socket.AF_UNIX)
    address = str(folder / "socket")
    listener.bind(address)
    listener.listen()
    command = folder / "lrfr"
    command.write_text(COMMAND.format(python=sys.executable, address=address))
    command.chmod(0o755)
    print("ready", flush=True)
    while True:
        client, _ = listener.accept()
        child = _run_in_fork(client, *_received(client))
        threading.Thread(target=_tell_the_end, args=[client, child], daemon=True).start()  # one may wait for another


def _end_with(client: socket.socket) -> None:
    client.recv(1)  # nothing is ever sent: the caller is gone
    os._exit(1)


def _end_with_input() -> None:
    os.read(0, 1)  # nothing is ever written; sys.stdin would hold its lock in the forks
    os._exit(0)


def _received(client: socket.socket) -> tuple[bytes, list[int]]:
    said, streams = b"", []
    while not said.endswith(b"\0"):
        text, given, _, _ = socket.recv_fds(client, 1 << 20, 3)
        said, streams = said + text, streams + given
    return said[:-1], streams


def _run_in_fork(client: socket.socket, said: bytes, streams: list[int]) -> int:
    child = os.fork()
    if child == 0:
        threading.Thread(target=_end_with, args=[client], daemon=True).start()
        _run(*json.loads(said), streams)
    for stream in streams:
        os.close(stream)
    return child


def _tell_the_end(client: socket.socket, child: int) -> None:
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with client, suppress(OSError):  # its caller was killed
        client.sendall(str(status).encode())


def _run(arguments: list[str], place: str, environment: dict[str, str], streams: list[int]) -> None:
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.chdir(place)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["lrfr", *arguments]
    status = 1
    try:
        from lrfr.cli import app

        app(prog_name="lrfr")
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
