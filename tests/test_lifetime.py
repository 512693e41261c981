"""What works for a process ends with it, also when it is killed and can tell nobody."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

POOL = """
import os, sys, time
from lrfr import parallel

def work(item):
    os.write(1, f"{os.getpid()}\\n".encode())  # whole lines of several processes
    time.sleep(60)

if __name__ == "__main__":
    parallel.cores = lambda: 2
    list(parallel.parallel_map(work, range(8), "sleeping", "item"))
"""
LOADER = """
import os, time
from torch.utils.data import DataLoader, Dataset
from lrfr.nn.batches.labelled import _begin_worker

class Sleepy(Dataset):
    def __len__(self):
        return 8

    def __getitem__(self, row):
        os.write(1, f"{os.getpid()}\\n".encode())  # whole lines of several processes
        time.sleep(60)

if __name__ == "__main__":
    list(DataLoader(Sleepy(), batch_size=1, num_workers=2, worker_init_fn=_begin_worker))
"""
LAUNCHER = """
import subprocess, sys

CHILD = "import os, time; from lrfr.lifetime import stop_with_launcher; stop_with_launcher(); " \\
    "os.write(1, str(os.getpid()).encode() + bytes([10])); time.sleep(60)"
children = [subprocess.Popen([sys.executable, "-c", CHILD]) for _ in range(2)]
[child.wait() for child in children]
"""
READER = """
import os, threading, time
from pathlib import Path
import psutil
from lrfr.sources.reading.mat_lists import pairs_of

def tell():
    while not (children := psutil.Process().children()):
        time.sleep(0.05)
    os.write(1, f"{children[0].pid}\\n".encode())

os.mkfifo("pairs.mat")  # nobody writes, and so it is never read
threading.Thread(target=tell, daemon=True).start()
pairs_of(Path(), "pairs.mat")
"""


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="processes are looked up in /proc")
@pytest.mark.parametrize(
    ("program", "count"),
    [(POOL, 2), (LOADER, 2), (LAUNCHER, 2), (READER, 1)],
    ids=["pool", "loader", "launcher", "reader"],
)
def test_workers_end_with_a_killed_process(tmp_path, program, count):
    (tmp_path / "program.py").write_text(program)
    process = subprocess.Popen([sys.executable, "program.py"], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    workers = {int(process.stdout.readline()) for _ in range(count)}
    try:
        assert len(workers) == count and all(is_running(worker) for worker in workers)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        while any(is_running(worker) for worker in workers):  # else pytest, or the sleep's end, is late by a minute
            assert time.sleep(0.1) is None
    finally:
        process.stdout.close()
        left = [worker for worker in workers if is_running(worker)]
        for worker in left:
            os.kill(worker, signal.SIGKILL)
    assert not left
