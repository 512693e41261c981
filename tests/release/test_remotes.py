"""DVC's remotes, as docs/releases.md says: what is pushed to one is all that a fresh clone needs, the release too."""

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lrfr.release.provenance import folder_md5
from tests.release.project import ROOT, git

NAME = "tiny-face-embedder"
BUCKET = "lrfr"
PIPELINE = f"""\
stages:
  count:
    cmd: python count.py faces.txt > data.txt
    deps:
      - count.py
      - faces.txt
    outs:
      - data.txt
  package:
    cmd: python package.py data.txt releases/${{release.name}}
    deps:
      - package.py
      - data.txt
    params:
      - release
    outs:
      - releases/${{release.name}}
artifacts:
  {NAME}:
    path: signed/${{release.name}}/${{release.version}}
    type: model
"""
SCRIPTS = {
    "count.py": "import sys\nprint(len(open(sys.argv[1]).read().split()))\n",
    "package.py": (
        "import pathlib, sys\nfolder = pathlib.Path(sys.argv[2], 'sample')\nfolder.mkdir(parents=True)\n"
        "(folder.parent / 'model').write_text(open(sys.argv[1]).read())\n(folder / 'é 1').write_text('faces')\n"
    ),
    "faces.txt": "one two three\n",
    "params.yaml": f"release: {{name: {NAME}, version: v0.1.0}}\n",
}


@pytest.fixture(scope="module")
def bucket():
    """The address of an S3 server of this test's own, with a bucket."""
    pytest.importorskip("moto.server", reason="the extra 'dev' is not installed")
    pytest.importorskip("dvc_s3", reason="the extra 'remotes' is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert any("Running on" in line for line in server.stdout or ()), "the S3 server did not start"
        import boto3

        address = f"http://127.0.0.1:{port}"
        client = boto3.client(
            "s3", endpoint_url=address, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
        )
        client.create_bucket(Bucket=BUCKET)
        yield address
    finally:
        server.kill()
        server.communicate()


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A small project, run and committed, with a release that DVC tracks and that is registered by GTO; to be copied,
    where the surroundings are those of nobody."""
    home = tmp_path_factory.mktemp("home")
    folder = home / "project"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("AWS_", "DVC_", "GIT_"))]:
            patch.delenv(name)
        for name in ("GIT_AUTHOR", "GIT_COMMITTER"):
            patch.setenv(f"{name}_NAME", "t")
            patch.setenv(f"{name}_EMAIL", "t@t")
        patch.setenv("HOME", str(home))
        patch.setenv("AWS_ACCESS_KEY_ID", "a")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "b")
        patch.chdir(folder)
        git("init", "-q")
        run("dvc", "init", "-q")
        Path("dvc.yaml").write_text(PIPELINE)
        for name, text in SCRIPTS.items():
            Path(name).write_text(text)
        Path(".gitignore").write_text((ROOT / ".gitignore").read_text() + "/data.txt\n")
        run("dvc", "repro", "-q")
        signed = Path("signed", NAME, "v0.1.0")
        signed.mkdir(parents=True)
        (signed / "model.sig").write_text("signed")
        run("dvc", "add", "-q", str(signed))
        yield folder


@pytest.fixture
def project(template, tmp_path, monkeypatch):
    """A copy of it in the current folder; nothing is committed yet."""
    folder = tmp_path / "project"
    monkeypatch.chdir(shutil.copytree(template, folder, symlinks=True))
    return folder


def commit_with_remote(address: str, **options: str) -> None:
    """Commits the project, with a remote as `dvc remote add --default storage ADDRESS` writes it."""
    lines = [f"    {name} = {value}\n" for name, value in {"url": address, **options}.items()]
    core = "[core]\n    analytics = false\n    remote = storage\n"
    Path(".dvc/config").write_text(f"{core}['remote \"storage\"']\n{''.join(lines)}")
    git("add", "-A")
    git("commit", "-qm", "The release v0.1.0")


def gto(*arguments: str) -> None:
    """Runs GTO, which is no module to be run."""
    subprocess.run([Path(sys.executable).with_name("gto"), *arguments], check=True, capture_output=True)


def run(command: str, *arguments: str, may_fail: bool = False) -> str:
    """Runs a command of this environment; returns what it prints."""
    done = subprocess.run([sys.executable, "-m", command, *arguments], capture_output=True, text=True)
    assert may_fail or done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def clone(project: Path, monkeypatch) -> Path:
    folder = project.parent / "clone"
    git("clone", "-q", str(project), str(folder))
    monkeypatch.chdir(folder)
    return folder


def test_what_an_s3_bucket_has_is_all_that_a_fresh_clone_needs(bucket, project, monkeypatch):
    commit_with_remote(f"s3://{BUCKET}/cache", endpointurl=bucket)
    run("dvc", "push")
    folder = clone(project, monkeypatch)
    assert not (folder / "data.txt").exists() and not (folder / "releases").exists()
    run("dvc", "pull")
    assert (folder / "data.txt").read_text() == "3\n"
    assert (folder / "releases" / NAME / "sample" / "é 1").read_text() == "faces"
    assert (folder / "signed" / NAME / "v0.1.0" / "model.sig").read_text() == "signed"
    told = run("dvc", "repro")
    assert "Data and pipelines are up to date" in told and "Running stage" not in told
    assert git("status", "--porcelain") == ""


def test_a_release_is_got_by_its_version_and_by_its_stage(project, monkeypatch):
    """From a folder as the remote, which is the same for DVC; the tags are GTO's."""
    commit_with_remote(str(project.parent / "storage"))
    run("dvc", "push")
    gto("register", NAME, "--version", "v0.1.0")
    gto("assign", NAME, "--version", "v0.1.0", "--stage", "staging")
    assert set(git("tag", "--list").split()) == {f"{NAME}@v0.1.0", f"{NAME}#staging#1"}
    monkeypatch.chdir(project.parent)
    for chosen in (("--rev", "v0.1.0"), ("--stage", "staging")):
        out = project.parent / chosen[0].strip("-")
        run("dvc", "artifacts", "get", str(project), NAME, *chosen, "-o", str(out))
        assert (out / "model.sig").read_text() == "signed"
    missing = run("dvc", "artifacts", "get", str(project), NAME, "--rev", "v9.0.0", may_fail=True)
    assert "ERROR" in missing and "v9.0.0" in missing


def test_a_remote_that_is_away_leaves_nothing_half_written(project, monkeypatch):
    commit_with_remote(str(project.parent / "storage"))
    folder = clone(project, monkeypatch)
    told = run("dvc", "pull", may_fail=True)
    assert "ERROR" in told and "Traceback" not in told
    made = [path for name in ("releases", "signed") for path in (folder / name).rglob("*") if path.is_file()]
    assert not (folder / "data.txt").exists() and [path.suffix for path in made] == [".dvc"]


def test_a_folder_s_hash_is_dvc_s(project):
    assert folder_md5(Path("releases") / NAME) in re.findall(r"md5: (\S+)", Path("dvc.lock").read_text())
