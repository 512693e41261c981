"""The whole pipeline at a tiny size, in a copy of the project: every stage, the last ones included."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).parents[2]
SCRIPTS = Path(sys.executable).parent
ENVIRONMENT = {
    **os.environ,
    "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}",
    "PYTHONPATH": str(PROJECT / "src"),
    "NO_ALBUMENTATIONS_UPDATE": "1",
}
COPIED = ["src", "annotations", "dvc.yaml", ".dvc/config", ".dvc/plots", ".dvc/.gitignore", ".dvcignore", ".gitignore"]


ADAM = {"optimizer": "adam", "learning_rate": 2e-4, "betas": [0.5, 0.999], "weight_decay": 0.0, "schedule": "constant"}
MRGAN = {
    "backbone": "main", "size": 40, "sides": [40, 20, 10], "width": 0.05,
    "training": ADAM | {"epochs": 1, "batch_size": 8, "clip_norm": None, "precision": "fp32",
                        "optimizers": {"discriminator": ADAM}},
}  # fmt: skip
SGD = {"epochs": 1, "batch_size": 8, "learning_rate": 0.01, "momentum": 0.9, "weight_decay": 0.0, "schedule": "cosine",
       "clip_norm": 5.0, "precision": "fp32"}  # fmt: skip
ADAPTION = {"lr_model": SGD, "training": SGD | {"optimizers": {"discriminator": ADAM}}}


def call(folder, *command, ok=True):
    done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True)
    assert not ok or done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done


def tiny(params):
    params["acquire"]["settings"].update(identities=16, photos=24, auxiliary_identities=8, portraits_per_identity=6)
    sizes = {
        "surveillance": {"identities": 5, "unmated": 5, "verification_identities": 4, "images": 2},
        "pairs": {"identities_per_fold": 2, "images": 2},
        "distractors": {"identities": 4, "images": 4, "distractors": 5},
    }
    sets = params["evaluation_sets"]
    params["evaluation_sets"] = {name: sets[name] | {"settings": settings} for name, settings in sizes.items()}
    params["synthesizers"] = {"downsample": {}}
    params["validate"].update(min_identities=3, min_distractors=3)
    params["drift"]["sample"] = 50
    params["landmarks"]["width"] = 0.25
    params["super_resolution"] = yaml.safe_load((PROJECT / "params/tc.yaml").read_text())["super_resolution"]
    backbone, runs = params["backbones"]["main"], params["methods"]
    del runs["pretrained"]
    backbone["architecture"].update(width=0.125, embedding_dim=32)
    backbone["presentation"] = "arcface_112"
    runs["csri"]["super_resolution"].update(width=0.125)
    runs["csri"]["presentation"] = "as_cropped"
    for section in (backbone, params["landmarks"], *params["super_resolution"].values(), *runs.values()):
        for training in (value for value in section.values() if isinstance(value, dict) and "epochs" in value):
            training.update(epochs=2, batch_size=8, precision="fp32")
    params["learned_synthesizers"] = {"mrgan": MRGAN}
    runs["baseline"]["auxiliary"]["low_resolution"].update(synthesizer="closest")
    runs["ran"] = {"method": "ran", "backbone": "main", "synthesizer": "closest", **ADAPTION}
    params["evaluate"].update(bootstrap=100, super_resolution=["vdsr"])
    params["threads"] = 1
    return params


def change(folder, change):
    path = folder / "params.yaml"
    params = yaml.safe_load(path.read_text())
    change(params)
    path.write_text(yaml.safe_dump(params, sort_keys=False))


@pytest.fixture(scope="module")
def preloaded(tmp_path_factory):
    """Lets DVC's stages start at once; elsewhere in the tests ``lrfr`` is the installed command."""
    folder = tmp_path_factory.mktemp("preloaded")
    server = [sys.executable, Path(__file__).with_name("preloaded.py"), folder]
    with subprocess.Popen(server, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(ENVIRONMENT, "PATH", f"{folder}{os.pathsep}{ENVIRONMENT['PATH']}")
            yield
        process.stdin.close()


@pytest.fixture(scope="module")
def project(tmp_path_factory, git, preloaded):
    folder = tmp_path_factory.mktemp("project")
    for name in COPIED:
        copy = shutil.copytree if (PROJECT / name).is_dir() else shutil.copy
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        copy(PROJECT / name, folder / name)
    params = tiny(yaml.safe_load((PROJECT / "params.yaml").read_text()))
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    call(folder, "git", "init", "-q")
    call(folder, "git", "add", "-A")
    call(folder, "git", "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "tiny")
    call(folder, "dvc", "repro")
    return folder


def test_every_stage_leaves_what_it_promises(project):
    stages = yaml.safe_load((project / "dvc.lock").read_text())["stages"]
    every = yaml.safe_load((project / "dvc.yaml").read_text())["stages"]
    assert {name.partition("@")[0] for name in stages} == set(every)
    outputs = [out["path"] for stage in stages.values() for out in stage.get("outs", [])]
    assert all((project / output).exists() for output in outputs)
    release = json.loads((project / "releases/tiny-face-embedder/release.json").read_text())
    assert {file.name for file in (project / "releases/tiny-face-embedder").iterdir()} == {
        "model.safetensors", "landmarks.safetensors", "model.onnx", "landmarks.onnx", "README.md", "release.json",
        "metrics.json", "reference.parquet", "calibration.json", "sample",
    }  # fmt: skip
    assert isinstance(release["approved"], bool)
    assert release["sign_off"][0]["passed"], "every stage that looks at the data let it pass"
    page = (project / "reports/index.html").read_text()
    linked = ("quality.html", "quality_synthetic.html", "drift/downsample.html", "drift/mrgan.html")
    assert "baseline" in page and all(f'href="{place}"' in page for place in linked)
    assert all((project / "reports" / place).is_file() for place in linked)


def test_every_run_says_how_faces_were_presented_to_it(project):
    results = {
        name: json.loads((project / f"metrics/runs/{name}.json").read_text()) for name in ("random", "baseline", "csri")
    }
    aligned = {name: result["presentation"] for name, result in results.items()}
    assert aligned == {"random": "arcface_112", "baseline": "arcface_112", "csri": "as_cropped"}
    steps = {name: [step["step"] for step in result["trained"]] for name, result in results.items()}
    first = "pretrain main"
    assert steps == {
        "random": [],
        "baseline": [first, "auxiliary", "training"],
        "csri": [first, "synthetic", "training"],
    }
    for name, result in results.items():
        assert set(result["sets"]) == {"benchmark", "synlr", "surveillance", "pairs", "distractors"}
        counted = {of["n_unaligned"] is not None for of in result["sets"].values()}
        assert counted == {name != "csri"}


def test_a_run_by_the_closest_synthesizer_learns_from_the_winner_s_faces(project):
    board, run = (
        json.loads((project / "metrics" / name).read_text()) for name in ("synthesizers.json", "runs/ran.json")
    )
    assert set(board["ranking"]) == {"downsample", "mrgan"}
    (lr_model,) = [step for step in run["trained"] if step["step"] == "lr_model"]
    assert set(lr_model["faces"]) == {f"synthetic ({board['closest']})"}


def test_git_sees_nothing_but_the_lock(project):
    assert call(project, "git", "status", "--porcelain").stdout.split() == ["??", "dvc.lock"]


def test_a_second_run_does_nothing_and_status_is_clean(project):
    assert "up to date" in call(project, "dvc", "repro").stdout
    assert "up to date" in call(project, "dvc", "status").stdout


def test_metrics_and_plots_are_shown_by_dvc(project):
    metrics = call(project, "dvc", "metrics", "show", "--json").stdout
    assert "metrics/summary.json" in metrics and "rank1" in metrics and "metrics/runs" not in metrics
    assert "index.html" in call(project, "dvc", "plots", "show").stdout


BRAND_NEW = """\
  brand_new: {method: baseline, backbone: main, head: {name: Softmax}, training:
    {epochs: 1, batch_size: 8, learning_rate: 0.01, momentum: 0.9, weight_decay: 5.0e-4, schedule: cosine,
     clip_norm: 5.0, precision: fp32}}
"""


def ran(project, *targets):
    """The stages that ``dvc repro`` ran, in order; it skips the others."""
    lines = call(project, "dvc", "repro", *targets).stdout.splitlines()
    return [line.split("'")[1] for line in lines if line.startswith("Running stage")]


def test_a_run_added_by_three_lines_trains_alone_and_is_in_the_report(project):
    report, params = project / "reports/index.html", project / "params.yaml"
    assert "brand_new" not in report.read_text()
    text = params.read_text()
    params.write_text(text.replace("\nmethods:\n", f"\nmethods:\n{BRAND_NEW}"))
    before = {path: path.read_bytes() for path in (project / "models").rglob("*.safetensors")}
    stages = ran(project)
    # What looks at all runs runs too; the package comes after the report, as the plan has it
    of_all = {
        "check-batches",
        "code",
        "compare-qualities",
        "rank-synthesizers",
        "summary",
        "training-sets",
        "visualize",
    }
    assert set(stages[:-2]) == of_all | {"finetune@brand_new", "embed@brand_new", "evaluate@brand_new"}
    assert stages[-2:] == ["report", "package"]
    assert {path: path.read_bytes() for path in before} == before
    assert "brand_new" in report.read_text()


def test_a_run_s_parameter_reruns_that_run_alone(project):
    change(project, lambda params: params["methods"]["brand_new"]["training"].update(learning_rate=0.02))
    stages = ran(project, "evaluate")
    assert set(stages[:-3]) == {"check-batches", "code", "rank-synthesizers", "training-sets"}
    assert stages[-3:] == ["finetune@brand_new", "embed@brand_new", "evaluate@brand_new"]


def test_interrupted_training_ends_with_the_same_model(project):
    change(project, lambda params: params["backbones"]["main"]["training"].update(epochs=30))
    model, state = project / "models/pretrained/main/model.safetensors", project / "checkpoints/backbones/main.pt"
    call(project, "lrfr", "pretrain", "main")
    whole = model.read_bytes()
    command = [SCRIPTS / "lrfr", "pretrain", "main"]
    stopped = subprocess.Popen(command, cwd=project, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
    wait_for_training(stopped)
    stopped.send_signal(signal.SIGINT)
    message = stopped.communicate()[1]
    assert stopped.returncode == 130, message
    assert "run the same command again" in message and "Traceback" not in message
    assert state.is_file()
    model.unlink()
    assert "resuming the training" in call(project, "lrfr", "pretrain", "main").stdout
    assert model.read_bytes() == whole
    assert not state.exists()
    change(project, lambda params: params["backbones"]["main"]["training"].update(epochs=2))


def wait_for_training(process):
    """Until the progress bar has shown up, and some updates more."""
    while process.stderr.read(1) not in ("%", ""):
        pass
    time.sleep(0.5)


def test_failed_validation_stops_the_pipeline_with_a_readable_message(project):
    change(project, lambda params: params["validate"].update(min_identities=1000))
    failed = call(project, "dvc", "repro", ok=False)
    assert failed.returncode != 0
    text = failed.stdout + failed.stderr
    assert "1000" in text and "quality.html" in text and "Traceback" not in text
    assert "synthesize" not in text.split("validate", 1)[1]
    change(project, lambda params: params["validate"].update(min_identities=3))
