"""Ten thousand damaged files, odd settings and odd command lines: what a user gets, and what is touched.

    sudo python benchmarks/fuzz.py 10000     # in the project's root, on Linux; about an hour

Each case is a command of lrfr on a copy of a small folder with something wrong in it (see ``tests/fuzzing.py``).
Nothing but a temporary folder can be written to: a fault must not reach the machine.
"""

import json
import os
import sys
import tempfile
import time
import traceback
from collections import Counter
from datetime import date
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]  # this project's, whichever is installed
from benchmarks.sandbox import INSIDE, enter  # noqa: E402

# What stages import when they are called: once here, not in each case
WARM = ["great_expectations", "evidently", "albumentations", "timm", "ruamel.yaml", "typer", "dvclive", "plotly",
        "filelock", "zc.lockfile", "psutil", "scipy.io", "sklearn.ensemble", "mlcroissant", "onnx"]  # fmt: skip


def warm() -> None:
    """Imports all that a case may need."""
    for name in WARM:
        import_module(name)
    for module in sorted((ROOT / "src/lrfr").rglob("*.py")):
        name = ".".join(module.relative_to(ROOT / "src").with_suffix("").parts).removesuffix(".__init__")
        if not name.endswith("__main__"):
            import_module(name)


def fork(count: int, seed: int, place: Path, share: int, shares: int) -> int:
    """Runs a share of the cases in a child, which leaves what came of them as JSON; returns the child's number."""
    from tests.fuzzing import campaign

    child = os.fork()
    if child:
        return child
    try:
        (place / f"{share}.json").write_text(json.dumps(campaign(count, seed, place / str(share), share, shares, True)))
        os._exit(0)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def main() -> int:
    """Runs the cases, as many at once as there are cores, and prints what came of them."""
    count, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    if INSIDE not in os.environ:
        enter(Path(tempfile.mkdtemp(prefix="fuzz-")))
    place, began, shares = Path(tempfile.mkdtemp(dir="/dev/shm")), time.monotonic(), len(os.sched_getaffinity(0))
    warm()
    children = [fork(count, seed, place, share, shares) for share in range(shares)]
    if any([os.waitpid(child, 0)[1] for child in children]):
        return 1
    parts = [json.loads(path.read_text()) for path in place.glob("*.json")]
    wrongs = {wrong for part in parts for wrong in part["found"]}
    found = {wrong: [case for part in parts for case in part["found"].get(wrong, [])] for wrong in wrongs}
    for wrong, which in sorted(found.items(), key=lambda item: -len(item[1])):
        print(f"{len(which)} x {wrong}")
    minutes = (time.monotonic() - began) / 60
    print(f"{date.today()}: {count:,} cases of seed {seed} in {minutes:.0f} minutes; ", end="")
    print(f"{sum(map(len, found.values()))} findings of {len(found)} kinds")
    for said, counted in (("exit status", "ended"), ("kind", "kinds")):
        total = sum((Counter(part[counted]) for part in parts), Counter())
        print(f"cases by {said}:", ", ".join(f"{name}: {cases:,}" for name, cases in sorted(total.items())))
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
