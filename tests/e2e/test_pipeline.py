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
COPIED = ["src", "annotations", "dvc.yaml", ".dvc/config", ".dvc/.gitignore", ".dvcignore", ".gitignore"]


def call(folder, *command, ok=True):
    environment = {**os.environ, "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert not ok or done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done


def tiny(params):
    params["compare"] = ["random", "baseline", "tc", "csri"]
    params["acquire"]["settings"].update(identities=16, photos=24, auxiliary_identities=8, portraits_per_identity=6)
    sizes = {
        "surveillance": {"identities": 5, "unmated": 5, "verification_identities": 4, "images": 2},
        "mugshots": {"identities": 8, "cameras": 1},
        "templates": {"identities": 6, "gallery_stills": 1, "probe_stills": 1, "frames": 2},
        "pairs": {"identities_per_fold": 2, "images": 2},
        "distractors": {"identities": 4, "images": 4, "distractors": 5},
    }
    for name, settings in sizes.items():
        params["evaluation_sets"][name]["settings"] = settings
    params["validate"].update(min_identities=3, min_distractors=3)
    params["drift"]["sample"] = 50
    params["pretrain"]["architecture"].update(width=0.125, embedding_dim=32)
    params["super_resolution"]["vdsr"].update(width=0.1)
    params["methods"]["csri"]["super_resolution"].update(width=0.1)
    compared = [params["methods"][name] for name in params["compare"]]
    for section in (params["pretrain"], params["landmarks"], *params["super_resolution"].values(), *compared):
        for training in (value for value in section.values() if isinstance(value, dict) and "epochs" in value):
            training.update(epochs=2, batch_size=8)
    params["evaluate"]["bootstrap"] = 100
    params["threads"] = 1
    return params


def change(folder, change):
    path = folder / "params.yaml"
    params = yaml.safe_load(path.read_text())
    change(params)
    path.write_text(yaml.safe_dump(params, sort_keys=False))


@pytest.fixture(scope="module")
def project(tmp_path_factory):
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
    outputs = [out["path"] for stage in stages.values() for out in stage.get("outs", [])]
    assert len(stages) >= 20
    assert all((project / output).exists() for output in outputs)
    release = json.loads((project / "releases/tiny-face-embedder/release.json").read_text())
    assert {"model.safetensors", "model.onnx", "model_card.md"} <= {
        file.name for file in (project / "releases/tiny-face-embedder").iterdir()
    }
    assert isinstance(release["approved"], bool)
    assert release["sign_off"][0]["passed"], "every stage that looks at the data let it pass"
    page = (project / "reports/index.html").read_text()
    assert (
        "baseline" in page
        and "quality.html" in page
        and "quality_synthetic.html" in page
        and "drift_downsample.html" in page
    )


def test_git_sees_nothing_but_the_lock(project):
    assert call(project, "git", "status", "--porcelain").stdout.split() == ["??", "dvc.lock"]


def test_a_second_run_does_nothing_and_status_is_clean(project):
    assert "up to date" in call(project, "dvc", "repro").stdout
    assert "up to date" in call(project, "dvc", "status").stdout


def test_metrics_and_plots_are_shown_by_dvc(project):
    metrics = call(project, "dvc", "metrics", "show", "--json").stdout
    assert "metrics/tc.json" in metrics and "rank1" in metrics
    assert "index.html" in call(project, "dvc", "plots", "show").stdout


def test_a_methods_parameter_reruns_that_method_and_the_report_alone(project):
    change(project, lambda params: params["methods"]["tc"].update(distillation_weight=0.2))
    lines = call(project, "dvc", "repro").stdout.splitlines()
    ran = [line.split("'")[1] for line in lines if line.startswith("Running stage")]
    # visualize looks into every model; the release comes after the report, as the plan has it
    assert sorted(ran[:-2]) == ["embed@tc", "evaluate@tc", "finetune@tc", "visualize"]
    assert ran[-2:] == ["report", "release"]
    change(project, lambda params: params["methods"]["tc"].update(distillation_weight=0.1))


def test_interrupted_training_ends_with_the_same_model(project):
    change(project, lambda params: params["pretrain"]["training"].update(epochs=60))
    model, state = project / "models/pretrained/model.safetensors", project / "checkpoints/pretrained.pt"
    call(project, "lrfr", "pretrain")
    whole = model.read_bytes()
    stopped = subprocess.Popen([SCRIPTS / "lrfr", "pretrain"], cwd=project, stderr=subprocess.PIPE, text=True)
    wait_for_training(stopped)
    stopped.send_signal(signal.SIGINT)
    message = stopped.communicate()[1]
    assert stopped.returncode == 130, message
    assert "run the same command again" in message and "Traceback" not in message
    assert state.is_file()
    model.unlink()
    assert "resuming the training" in call(project, "lrfr", "pretrain").stdout
    assert model.read_bytes() == whole
    assert not state.exists()
    change(project, lambda params: params["pretrain"]["training"].update(epochs=2))


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
