"""A small project to verify: 90 faces in 30 photos, servers that end with the test, a Chromium where there is one."""

import re
import signal
import socket
import subprocess
import sys
import threading
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pytest
import uvicorn

from lrfr import paths
from lrfr.faces import FACE_SCHEMA, FINDING_SCHEMA, PHOTO_SCHEMA, encode_png, write_faces, write_table
from lrfr.review.photo import Photos
from lrfr.review.serve import open_pairs, open_session
from lrfr.review.server import create_app
from tests.drawing import portrait, write_params

FACES = 90


drawn = lru_cache(lambda seed: portrait(96, seed)[24:72, 28:68])


def rows() -> list[dict]:
    """Faces f00.. of 12 identities and of nobody, three in a photo, the least certain first."""
    made = []
    for n in range(FACES):
        height = 12 + n % 18
        width = round(0.8 * height)
        image = cv2.resize(drawn(n % 10), (width, height), interpolation=cv2.INTER_AREA)
        made.append(
            {
                "face_id": f"f{n:02d}",
                "source": "drawn",
                "image": encode_png(image),
                "width": width,
                "height": height,
                "identity": f"person{n % 12:02d}" if n % 4 else None,
                "photo_id": f"photo{n // 3:02d}",
                "box": [20.0 + 60 * (n % 3), 30.0, float(width), float(height)],
                "score": 0.6 + 0.004 * n,
                "attributes": [("collection", "native")],
            }
        )
    return made


def photos() -> list[dict]:
    picture = encode_png(np.full((120, 200, 3), 90, np.uint8))
    row = {"source": "drawn", "collection": "native", "image": picture, "width": 200, "height": 120}
    return [row | {"photo_id": f"photo{n:02d}"} for n in range(FACES // 3)]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The project's folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    write_params(curate={"max_side": 32, "simulated_labellers": {"robot": {"error_rate": 0.1, "unsure_rate": 0.1}}})
    write_faces(pa.Table.from_pylist(rows(), FACE_SCHEMA), paths.DETECTED_NATIVE)
    write_table(pa.Table.from_pylist(photos(), PHOTO_SCHEMA), paths.PHOTOS, PHOTO_SCHEMA)
    return tmp_path


@pytest.fixture
def review(project):
    """Starts `lrfr review`; gives the process and the page's address."""
    started = []

    def start(labeller, *options):
        command = [Path(sys.executable).parent / "lrfr", "review", "--labeller", labeller, "--no-browser", *options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        started.append(process)
        lines = []
        while not (found := re.search(r"http://\S+", lines[-1] if lines else "")):
            lines.append(process.stdout.readline())
            assert lines[-1], "".join(lines)
        return process, found[0]

    yield start
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()


@pytest.fixture
def address_of(project):
    """Serves a labeller's page from this process, which takes a tenth of the time; gives the page's address."""
    servers = []

    def start(labeller, order="doubtful", adjudicate=False, copies=False):
        session = open_pairs(labeller, adjudicate) if copies else open_session(labeller, order, adjudicate)
        app = create_app(session, Photos(paths.PHOTOS), "token", order)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
        listening = socket.create_server(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, args=[[listening]])
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{listening.getsockname()[1]}/#token"

    yield start
    for server, thread in servers:
        server.should_exit = True
        thread.join()


@pytest.fixture
def near_pair(project):
    """Curation took f01 for a copy of f00."""
    found = {"face_id": "f01", "reason": "duplicate", "excluded": True, "copy_of": "f00", "kind": "near"}
    row = dict.fromkeys(FINDING_SCHEMA.names) | found | {"similarity": 0.98, "across": "unnamed"}
    write_table(pa.Table.from_pylist([row], FINDING_SCHEMA), paths.FINDINGS, FINDING_SCHEMA)
