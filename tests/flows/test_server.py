"""The server that a flow talks to: the user's, or one that nobody else can use, and that ends with the flow."""

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from flows import server
from lrfr.errors import EnvironmentProblemError

ROOT = Path(__file__).parents[2]
CONNECT = """
import json, os, time
from flows import server
server.connect()
from prefect.client.orchestration import get_client
with get_client(sync_client=True) as client:
    client.hello().raise_for_status()
print(json.dumps([os.environ["PREFECT_API_URL"], os.environ["PREFECT_API_AUTH_STRING"]]), flush=True)
time.sleep(300)
"""
DEAD = "http://127.0.0.1:9"  # the discard service, which nobody runs


def connecting(folder, **variables):
    """A process that connects as a flow does, in an environment of its own."""
    inherited = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    own = {name: value for name, value in inherited.items() if not name.startswith("PREFECT_")}
    own["PYTHONPATH"] = f"{ROOT / 'src'}{os.pathsep}{ROOT}"
    command = [sys.executable, "-c", CONNECT]
    return subprocess.Popen(
        command, cwd=folder, env=own | variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.fixture
def refused(monkeypatch):
    """Connects with such Prefect settings and variables; gives the message of the error."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        for either in (name, name.upper()):
            monkeypatch.setenv(either, "")
            monkeypatch.delenv(either)
    from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings

    def connect(url=None, home="unused", **variables):
        with monkeypatch.context() as patch, temporary_settings({PREFECT_API_URL: url, PREFECT_HOME: home}):
            for name, value in variables.items():
                patch.setenv(name, value)
            with pytest.raises(EnvironmentProblemError) as error:
                server.connect()
        return str(error.value)

    return connect


def test_a_temporary_server_is_the_flows_alone_and_ends_with_it(tmp_path):
    dead = dict.fromkeys(["HTTP_PROXY", "https_proxy", "ALL_PROXY"], DEAD) | {"all_proxy": "socks5://127.0.0.1:9"}
    process = connecting(tmp_path, **dead, NO_PROXY="example.org")  # loopback never goes through a proxy
    line = process.stdout.readline()
    assert line, process.stderr.read()
    address, key = json.loads(line)
    url = httpx.URL(address)
    assert url.host == "127.0.0.1"
    asked = f"{address}/admin/version"
    with httpx.Client(trust_env=False, timeout=60) as client:
        allowed = base64.b64encode(key.encode()).decode()
        assert client.get(asked, headers={"Authorization": f"Basic {allowed}"}).is_success
        assert client.get(asked).status_code == 401
        foreign = client.get(asked, headers={"Host": "evil.example"})
        assert foreign.status_code == 400
        page = client.options(asked, headers={"Origin": "http://evil.example", "Access-Control-Request-Method": "GET"})
        assert "access-control-allow-origin" not in page.headers
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    process.stderr.close()
    while True:
        try:
            socket.create_connection((url.host, url.port), 1).close()
        except OSError:
            break
        time.sleep(0.1)


def test_a_server_that_is_away_is_named_and_the_proxy_before_it(refused):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        said = refused("http://prefect.example/api", **{name: f"http://u:secret@{DEAD[7:]}"})
        assert "Prefect's server does not answer" in said
        assert f"PREFECT_API_URL=http://prefect.example/api, through the proxy of {name}" in said
        assert "secret" not in said
    said = refused("https://prefect.example/api", HTTPS_PROXY="socks9://x")
    assert "through the proxy of HTTPS_PROXY" in said
    said = refused(f"{DEAD}/api", HTTP_PROXY=DEAD)  # loopback never goes through a proxy
    assert f"PREFECT_API_URL={DEAD}/api" in said
    assert "proxy" not in said.lower()


def test_a_home_that_cannot_be_written_is_named(refused, tmp_path):
    (tmp_path / "file").touch()
    said = refused(home=tmp_path / "file/home")
    assert "Prefect cannot write to its home" in said
    assert "set PREFECT_HOME" in said


def test_a_full_disk_on_which_no_server_starts_is_named(refused, tmp_path, monkeypatch):
    monkeypatch.setattr(server, "ROOM", float("inf"))  # no disk has as much
    monkeypatch.setattr(server.sys, "executable", "/bin/false")  # as a server that ends at once
    said = refused(home=tmp_path)
    assert "does not start: the disk is full" in said and str(tmp_path) in said and "free space" in said
