import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_training_killed_at_any_update_and_while_saving_ends_as_one_that_was_not(tmp_path):
    command = [sys.executable, "-m", "tests.nn.killed_trainings", str(tmp_path)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    outcome = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert outcome.returncode == 0, outcome.stderr[-3000:]
    alike = [line.removeprefix("alike: ") for line in outcome.stdout.splitlines() if line.startswith("alike: ")]
    assert alike == ["sgd", "balanced", "adversarial"]
    assert outcome.stdout.count("resuming the training at update") == 3 * len(alike)
