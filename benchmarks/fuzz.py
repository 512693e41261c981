"""Ten thousand damaged files, odd settings and odd command lines: what a user gets, and what is touched.

    sudo python benchmarks/fuzz.py 10000     # in the project's root, on Linux; a few minutes

Each case is a command of lrfr on a copy of a small folder with something wrong in it (see ``tests/fuzzing.py``). All
runs in a mount namespace of its own, in which nothing but a temporary folder can be written to, and with devices of its
own: a fault must not reach the machine.
"""

import os
import sys
import tempfile
import time
from datetime import date
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

INSIDE = "LRFR_FUZZ_INSIDE"
# Nothing of this reaches the machine: the namespace is private, and what is mounted read-only is so in it alone
ENTER = """
set -e
mount --make-rprivate /
mount --bind "$1" "$1"
mount -t tmpfs none /dev
mkdir /dev/shm /dev/pts
mount -t tmpfs none /dev/shm
mknod -m 666 /dev/null c 1 3; mknod -m 666 /dev/zero c 1 5; mknod -m 666 /dev/full c 1 7
mknod -m 666 /dev/random c 1 8; mknod -m 666 /dev/urandom c 1 9
ln -s /proc/self/fd /dev/fd; ln -s /proc/self/fd/1 /dev/stdout; ln -s /proc/self/fd/2 /dev/stderr
while read -r _ place _; do
    case "$place" in "$1" | /dev | /dev/* | /proc | /proc/*) continue ;; esac
    mount -o remount,bind,ro "$place" 2>/dev/null || true
done < /proc/self/mounts
if touch /etc/lrfr-fuzz 2>/dev/null; then rm /etc/lrfr-fuzz; echo "error: the machine can be written to" >&2; exit 1; fi
shift
exec "$@"
"""
# What stages import when they are called: once here, not in each case
WARM = ["great_expectations", "evidently", "albumentations", "timm", "dvclive", "plotly", "filelock", "zc.lockfile",
        "psutil", "scipy.io", "sklearn.ensemble", "mlcroissant", "onnx"]  # fmt: skip


def main() -> int:
    """Enters the namespace, runs the cases, and prints what came of them."""
    count, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    if INSIDE not in os.environ:
        place = tempfile.mkdtemp(prefix="fuzz-")
        (Path(place) / "tmp").mkdir()
        os.environ |= {INSIDE: place, "TMPDIR": f"{place}/tmp", "HOME": f"{place}/tmp", "OMP_NUM_THREADS": "1"}
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        os.execvp("unshare", ["unshare", "-m", "sh", "-c", ENTER, "sh", place, sys.executable, *sys.argv])
    for name in WARM:
        import_module(name)
    for module in sorted((ROOT / "src/lrfr").rglob("*.py")):
        name = ".".join(module.relative_to(ROOT / "src").with_suffix("").parts).removesuffix(".__init__")
        if not name.endswith("__main__"):
            import_module(name)
    from tests.fuzzing import campaign

    began = time.monotonic()
    found, ended = campaign(count, seed, Path(os.environ[INSIDE]) / "cases")
    minutes = (time.monotonic() - began) / 60
    for wrong, which in sorted(found.items(), key=lambda item: -len(item[1])):
        print(f"{len(which)} x {wrong}")
    print(f"{date.today()}: {count:,} cases of seed {seed} in {minutes:.0f} minutes; ", end="")
    print(f"{sum(map(len, found.values()))} findings of {len(found)} kinds")
    print("cases by exit status:", ", ".join(f"{code}: {cases:,}" for code, cases in sorted(ended.items())))
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
