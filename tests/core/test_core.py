import subprocess
import sys
from pathlib import Path

import pytest

import lrfr.core

EXPORTED = lrfr.core.__all__


@pytest.mark.parametrize("name", EXPORTED)
def test_every_public_function_is_there_under_its_name(name):
    assert getattr(lrfr.core, name).__name__ == name


def test_no_function_is_named_as_a_module():
    # importing such a module would put it in the function's place
    assert not {path.stem for path in Path(lrfr.core.__file__).parent.glob("*.py")} & set(EXPORTED)


def test_the_functions_need_numpy_alone():
    code = f"import sys, lrfr.core\nfor name in {EXPORTED}: getattr(lrfr.core, name)\n"
    code += "print({'torch', 'scipy', 'sklearn', 'pandas', 'pyarrow'} & set(sys.modules) or 'numpy alone')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "numpy alone"


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute closed_sets"):
        _ = lrfr.core.closed_sets
