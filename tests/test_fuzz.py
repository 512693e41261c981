"""Whatever a file, a setting or a command line holds, the user gets one message, and nothing else is touched.

A small, seeded part of ``benchmarks/fuzz.py``.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lrfr.config import Params
from lrfr.config import settings as checked
from lrfr.errors import LrfrError, ParameterError
from lrfr.methods import read_run
from lrfr.recovery import LOCK, recover

ROOT = Path(__file__).parents[1]
CASES, SEED = 20, 423  # cases of every kind, none of which imports for seconds
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4) | st.integers(), inner, max_size=3),
    max_leaves=6,
)


def test_odd_files_settings_and_commands_get_a_message(tmp_path):
    """In a process of its own, which forks one for each case and so must have no threads."""
    command = [sys.executable, "-m", "tests.fuzzing", str(CASES), str(SEED), str(tmp_path)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "TMPDIR": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-3000:]


@given(section=st.sampled_from(sorted(PARAMS)), value=JUNK)
@settings(max_examples=200)
def test_any_section_is_taken_or_refused_with_a_message(section: str, value: Any):
    try:
        params = checked(PARAMS | {section: value}, Params, "params.yaml")
        for name in params.methods:
            read_run(name, params)
    except LrfrError as error:
        assert "params.yaml" in str(error)


@given(name=st.text(max_size=40))
def test_a_name_that_becomes_a_file_stays_in_its_folder(name: str):
    try:
        checked(PARAMS | {"synthesizers": {name: {}}}, Params, "params.yaml")
    except ParameterError:
        return
    assert Path("folder", name).parent == Path("folder") and name.isascii() and not name.startswith((".", "-"))


@given(data=st.binary(max_size=60), place=st.integers(0, 2000), cut=st.booleans())
@settings(max_examples=50)
def test_no_lock_of_dvc_s_is_too_damaged(tmp_path_factory, data, place, cut):
    folder = tmp_path_factory.mktemp("lock")
    before = Path.cwd()
    os.chdir(folder)
    try:
        Path(".dvc").mkdir()
        whole = (ROOT / "dvc.lock").read_bytes()[:5000]
        LOCK.write_bytes(whole[:place] + data + (b"" if cut else whole[place:]))
        recover()
        recover()
    finally:
        os.chdir(before)
