"""`lrfr review` as a process: what it prints, and what is left when it is killed."""

import json
import signal
import socket
import threading
import urllib.request
from pathlib import Path

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from lrfr import cli, paths
from lrfr.core.verdicts import parse, render
from lrfr.faces import FACE_SCHEMA, FINDING_SCHEMA, write_faces, write_table
from lrfr.review.serve import open_session
from tests.review.conftest import rows


def call(address, path, body=None):
    """Asks a running server as its page does."""
    origin, _, token = address.partition("/#")
    headers = {"X-Lrfr-Token": token, "Origin": origin, "Content-Type": "application/json"}
    request = urllib.request.Request(f"{origin}/api/{path}", body and json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def judge(address, face, labeller):
    verdict = {"face_id": face["face_id"], "verdict": "face", "note": f"by {labeller}", "seen": face["seen"]}
    body = {"labeller": labeller, "manifest": labeller, "sheet": 0, "verdicts": [verdict]}
    return call(address, "verdicts", body)["faces"][0]["face_id"]


def manifest(name):
    path = paths.VERDICTS / f"{name}.csv"
    return parse(path.read_text(), name, path)


def test_a_killed_server_loses_nothing_that_it_acknowledged(review):
    """SIGKILL in the midst of saves, by two windows of one labeller, each with a server of its own."""
    servers = [review("anna"), review("anna")]
    saved, started = [], threading.Event()

    def save_all(address, sheet):
        try:
            for face in call(address, f"sheets/{sheet}")["faces"]:
                saved.append(judge(address, face, "anna"))
                if len(saved) > 20:
                    started.set()
        except OSError:
            pass  # killed

    windows = [threading.Thread(target=save_all, args=(address, sheet)) for sheet, (_, address) in enumerate(servers)]
    for window in windows:
        window.start()
    started.wait(20)
    for process, _ in servers:
        process.send_signal(signal.SIGKILL)
    for window in windows:
        window.join()
    judged = open_session("anna", "doubtful", adjudicate=False).progress()["judged"]
    kept = {verdict.face_id for verdict in manifest("anna")}
    assert set(saved) <= kept
    assert len(kept) <= len(saved) + 2, "at most what was under way besides"
    assert judged == len(kept)


def test_it_listens_on_this_machine_alone_and_ctrl_c_ends_with_a_summary(review):
    process, address = review("anna", "--order", "photo")
    port = int(address.split(":")[2].split("/")[0])
    sockets = [line.split()[1:4] for line in Path("/proc/net/tcp").read_text().splitlines()]
    assert [local for local, _, state in sockets if state == "0A" and local.endswith(f":{port:04X}")] == [
        f"0100007F:{port:04X}"
    ]
    for face in call(address, "sheets/0")["faces"][:3]:
        judge(address, face, "anna")
    process.send_signal(signal.SIGINT)
    printed = process.communicate(timeout=20)[0]
    assert process.returncode == 0
    assert "3 faces judged" in printed and "87 left" in printed
    assert "annotations/verdicts/anna.csv: face 3" in printed
    assert "Traceback" not in printed


def lrfr(*arguments):
    return CliRunner().invoke(cli.app, ["review", "--no-browser", *arguments])


def test_a_port_that_is_taken_is_said(project):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = lrfr("--labeller", "anna", "--port", str(port))
    assert result.exit_code == 1
    assert f"port {port} cannot be had" in result.stderr
    assert "--port" in result.stderr


def test_without_faces_it_says_what_to_run(project):
    paths.DETECTED_NATIVE.unlink()
    result = lrfr("--labeller", "anna")
    assert (result.exit_code, "dvc repro detect" in result.stderr) == (1, True)


@pytest.mark.parametrize("name", ["../../etc/x", "_adjudicated", ""])
def test_a_labeller_cannot_leave_the_folder(project, name):
    result = lrfr("--labeller", name)
    assert result.exit_code == 1
    assert "cannot be a labeller's name" in result.stderr


def test_nothing_to_verify_is_said(project):
    write_faces(FACE_SCHEMA.empty_table(), paths.DETECTED_NATIVE)
    result = lrfr("--labeller", "anna")
    assert (result.exit_code, "Nothing to verify" in result.output) == (0, True)


def test_nothing_to_adjudicate_is_said(project):
    result = lrfr("--labeller", "eva", "--adjudicate")
    assert (result.exit_code, "Nothing to adjudicate" in result.output) == (0, True)


@pytest.mark.parametrize("labeller", ["anna", "boris"])
def test_a_line_that_a_crash_cut_short_keeps_nobody_out(project, labeller):
    paths.VERDICTS.mkdir(parents=True)
    (paths.VERDICTS / "anna.csv").write_text(render([]) + "f00,face,anna,2024-05-01,\nf01,fa")
    done = open_session(labeller, "doubtful", adjudicate=False).progress()["judged"]
    assert done == (1 if labeller == "anna" else 0)
    assert manifest("anna")[0].face_id == "f00" and len(manifest("anna")) == 1


@pytest.mark.parametrize("options", [["review", "--no-browser"], ["verdicts", "import", "x", "--from", "label-studio"]])
def test_the_name_of_a_simulated_labeller_is_refused(project, options):
    result = CliRunner().invoke(cli.app, [*options, "--labeller", "robot"])
    assert result.exit_code == 1 and "a simulated labeller is called 'robot'" in result.stderr


def detected(**changes):
    write_faces(pa.Table.from_pylist([row | changes for row in rows()[:10]], FACE_SCHEMA), paths.DETECTED_NATIVE)


def test_nothing_to_verify_says_why(project):
    detected(width=40)
    assert "10 are larger than curate.max_side (32 px); raise it in params.yaml" in lrfr("--labeller", "anna").output
    detected(split="probe")
    assert "10 have a place in a published partition" in lrfr("--labeller", "anna").output
    detected()
    reason = [("collection", "native"), ("reason", "duplicate")]
    write_faces(
        pa.Table.from_pylist([row | {"attributes": reason} for row in rows()[:10]], FACE_SCHEMA), paths.EXCLUDED
    )
    assert "10 were excluded by curate: duplicate 10" in lrfr("--labeller", "anna").output
    write_faces(FACE_SCHEMA.empty_table(), paths.DETECTED_NATIVE)
    assert "has no face: none was detected" in lrfr("--labeller", "anna").output


def test_all_verified_is_said(project, monkeypatch):
    monkeypatch.setattr("lrfr.loopback._run", lambda app, listening: None)
    paths.VERDICTS.mkdir(parents=True)
    lines = "".join(f"f{n:02d},face,anna,2024-05-01,\n" for n in range(90))
    (paths.VERDICTS / "anna.csv").write_text(render([]) + lines)
    printed = lrfr("--labeller", "anna").output
    assert "Nothing is left to verify: all 90 faces have a verdict in annotations/verdicts/anna.csv" in printed
    assert "0 faces judged; 0 left" in printed


def test_no_pair_to_judge_is_said(project):
    result = lrfr("--labeller", "anna", "--copies")
    assert (result.exit_code, "dvc repro curate" in result.stderr) == (1, True)
    write_table(FINDING_SCHEMA.empty_table(), paths.FINDINGS, FINDING_SCHEMA)
    assert "Raise curate.near_copies" in lrfr("--labeller", "anna", "--copies").output
    assert "no two labellers disagree" in lrfr("--labeller", "anna", "--copies", "--adjudicate").output
