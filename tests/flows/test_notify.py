"""People are told by a block of Prefect's; one that fails is a line in the log."""

import json
import logging
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from prefect.blocks.core import Block
from prefect.blocks.notifications import CustomWebhookNotificationBlock

from flows import notify

AWAY = "http://127.0.0.1:9/"  # the discard service, which nobody runs


@pytest.fixture
def blocks(monkeypatch):
    """The blocks that a server would know, by ``TYPE/NAME``."""
    known = {}
    monkeypatch.setattr(Block, "load", lambda name: known[name])
    monkeypatch.setattr(notify, "get_run_logger", logging.getLogger)
    return known


def hook(url):
    return CustomWebhookNotificationBlock(name="h", url=url, json_data={"text": "{{subject}}: {{body}}"}, timeout=5)


def test_a_web_hook_gets_the_message(blocks):
    got = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            got.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        blocks["custom-webhook/h"] = hook(f"http://127.0.0.1:{server.server_port}/")
        notify.tell("custom-webhook/h", "monitor: warn: torn files")
        server.shutdown()
    assert got == [{"text": "lrfr: monitor: warn: torn files"}]


@pytest.mark.parametrize("name", ["custom-webhook/h", "custom-webhook/unknown"])
def test_a_hook_that_is_away_is_one_line(blocks, caplog, name):
    blocks["custom-webhook/h"] = hook(AWAY)
    notify.tell(name, "monitor: warn")
    (line,) = [record.message for record in caplog.records if record.name == "root"]
    assert line.startswith(f"nobody was told: the block '{name}' failed: ") and "\n" not in line


def test_nobody_is_told_where_no_block_is_named(blocks, caplog):
    notify.tell(None, "monitor: warn")
    assert not caplog.records
