"""Fetching a release, from a folder and from the web: whole and verified, or not at all."""

import functools
import http.server
import shutil
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from lrfr.errors import ReleaseError
from lrfr.release.layout import MANIFEST, MODEL_ONNX, SIGNATURE
from lrfr.serve import pull as pulling
from lrfr.serve.model import Model
from lrfr.serve.pull import pull
from tests.release.keys import key_pair
from tests.serve.releases import NAME, VERSION

TAG = f"{NAME}@{VERSION}"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def web():
    """Serves folders; gives the address."""
    servers = []

    def serve(handler):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(params=["folder", "web"])
def source(request, place, web, tmp_path):
    """A copy of the place, and how it is named."""
    copy = Path(shutil.copytree(place, tmp_path / "place"))
    if request.param == "folder":
        return copy, str(copy)
    return copy, web(functools.partial(Quiet, directory=str(copy)))


def left(folder):
    """What lies where a folder was to be fetched."""
    return sorted(path.name for path in folder.parent.iterdir())


@pytest.fixture
def target(tmp_path):
    return tmp_path / "target" / "release"


def test_a_release_is_fetched_whole(source, target, keys, release):
    assert pull(TAG, source[1], target, keys[1])
    assert {path.name: path.read_bytes() for path in target.iterdir()} == {
        path.name: path.read_bytes() for path in release.iterdir()
    }
    assert left(target) == ["release"]
    assert Model.load(target).origin.release == TAG


def test_what_is_there_already_is_verified(source, target, keys):
    pull(TAG, source[1], target, keys[1])
    assert not pull(TAG, source[1], target, keys[1])
    (target / MODEL_ONNX).write_bytes(b"other")
    with pytest.raises(ReleaseError, match="is not the file that was released"):
        pull(TAG, source[1], target, keys[1])


def test_an_empty_folder_is_taken(source, target, keys):
    target.mkdir(parents=True)
    assert pull(TAG, source[1], target, keys[1])


def test_anything_else_there_is_left_alone(source, target, keys):
    target.mkdir(parents=True)
    (target / "mine.txt").write_text("mine")
    with pytest.raises(ReleaseError, match="something else is in this folder"):
        pull(TAG, source[1], target, keys[1])
    assert [path.name for path in target.iterdir()] == ["mine.txt"]
    shutil.rmtree(target)
    pull(TAG, source[1], target, keys[1])
    with pytest.raises(ReleaseError, match=f"another release is in this folder already, {TAG}"):
        pull(f"{NAME}@v9.0.0", source[1], target, keys[1])


def flip(folder):
    data = bytearray((folder / MODEL_ONNX).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / MODEL_ONNX).write_bytes(data)


def lose(name):
    return lambda folder: (folder / name).unlink()


def lead_out(folder):
    manifest = folder / MANIFEST
    manifest.write_text(manifest.read_text().replace(MODEL_ONNX, "../../../outside"))


def of_another(folder):
    manifest = folder / MANIFEST
    manifest.write_text(manifest.read_text().replace(VERSION, "v1.0.1"))


@pytest.mark.parametrize(
    "damage", [flip, lose(SIGNATURE), lose(MODEL_ONNX), lose(MANIFEST), lead_out, of_another],
    ids=["flipped", "unsigned", "without a part", "without a manifest", "leading out", "another version"],
)  # fmt: skip
def test_what_was_tampered_with_is_refused_and_nothing_is_left(source, target, keys, damage):
    damage(source[0] / NAME / VERSION)
    with pytest.raises(ReleaseError):
        pull(TAG, source[1], target, keys[1])
    assert left(target) == []


def test_the_key_of_somebody_else_is_refused(source, target, tmp_path):
    _, other = key_pair(tmp_path, "other")
    with pytest.raises(ReleaseError, match="not signed by this key"):
        pull(TAG, source[1], target, other)
    assert left(target) == []


def test_an_unknown_version_is_told(source, target, keys):
    with pytest.raises(ReleaseError, match=r"no version v7.0.0 here(.*\n)*.*known: v1.0.0|no release pixels@v7.0.0"):
        pull(f"{NAME}@v7.0.0", source[1], target, keys[1])
    with pytest.raises(ReleaseError, match=r"'other' is not released here(.*\n)*.*known: pixels|no release other@"):
        pull(f"other@{VERSION}", source[1], target, keys[1])
    assert left(target) == []


@pytest.mark.parametrize("release", ["pixels", "pixels@1.0.0", "pixels@v1", "../x@v1.0.0", "Pixels@v1.0.0", "@v1.0.0"])
def test_what_is_no_version_is_told(target, keys, release):
    with pytest.raises(ReleaseError, match="is no release"):
        pull(release, "anywhere", target, keys[1])


@pytest.mark.parametrize("place", ["/nowhere/at/all", "http://127.0.0.1:9", "http://no.such.host.invalid", "http://["])
def test_a_place_that_is_away_is_told(target, keys, place):
    with pytest.raises(ReleaseError, match="the place is away"):
        pull(TAG, place, target, keys[1])
    assert left(target) == []


def test_a_server_that_leads_elsewhere_is_not_followed_to_files(target, keys, web, release):
    class Elsewhere(Quiet):
        def do_GET(self):
            self.send_response(302)
            self.send_header("Location", f"file://{release}/{self.path.rpartition('/')[2]}")
            self.end_headers()

    with pytest.raises(ReleaseError):
        pull(TAG, web(Elsewhere), target, keys[1])
    assert left(target) == []


def test_a_server_that_fails_or_never_ends_is_told(target, keys, web, monkeypatch):
    class Endless(Quiet):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            with suppress(OSError):
                while True:
                    self.wfile.write(b" " * 4096)

    class Failing(Quiet):
        def do_GET(self):
            self.send_error(503)

    monkeypatch.setattr(pulling, "LONGEST_MANIFEST", 10**5)
    with pytest.raises(ReleaseError, match="larger than a release can be"):
        pull(TAG, web(Endless), target, keys[1])
    with pytest.raises(ReleaseError, match="the server answers 503"):
        pull(TAG, web(Failing), target, keys[1])
    assert left(target) == []


def test_what_a_killed_pull_left_is_taken_over(source, target, keys):
    stale = target.parent / f".{target.name}.unfinished"
    stale.mkdir(parents=True)
    (stale / "half").write_text("half")
    pull(TAG, source[1], target, keys[1])
    assert left(target) == ["release"] and not (target / "half").exists()
