"""A flow's subprocesses end with it, the training among them with its state saved."""

import subprocess
import sys
from pathlib import Path

LEASH = Path(__file__).parents[2] / "flows/leash.py"
TRAINING = """
import sys, time
try:
    print("training", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    print("saved", flush=True)
    sys.exit(130)
"""


def leashed(*command):
    return subprocess.Popen(
        [sys.executable, "-P", LEASH, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_it_passes_on_what_a_command_says_and_its_status():
    process = leashed(sys.executable, "-c", "print('done'); raise SystemExit(3)")
    assert process.stdout.read() == "done\n"
    assert process.wait() == 3


def test_a_command_is_asked_to_stop_when_its_starter_is_gone():
    process = leashed(sys.executable, "-c", TRAINING)
    assert process.stdout.readline() == "training\n"
    process.stdin.close()  # as the kernel closes it behind a killed process
    assert process.stdout.readline() == "saved\n"
    assert process.wait() == 130
