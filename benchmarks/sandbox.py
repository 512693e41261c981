"""A place where a benchmark may break things: a mount namespace of its own in which one folder alone can be written to.

Linux, and root. Nothing of the machine can be changed from in there, and its devices are copies.
"""

import os
import sys
from pathlib import Path

INSIDE = "LRFR_SANDBOX"
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
if touch /etc/lrfr-sandbox 2>/dev/null; then
    rm /etc/lrfr-sandbox; echo "error: the machine can be written to" >&2; exit 1
fi
shift
exec "$@"
"""


def enter(place: Path) -> None:
    """Starts this command again where nothing but ``place``, a folder, can be written to; returns inside."""
    if INSIDE in os.environ:
        return
    (place / "tmp").mkdir(parents=True, exist_ok=True)
    temporary = f"{place.resolve()}/tmp"
    os.environ |= {INSIDE: "1", "TMPDIR": temporary, "HOME": temporary, "OMP_NUM_THREADS": "1"}
    os.environ.setdefault("PYTHONPYCACHEPREFIX", f"{temporary}/compiled")  # beside the sources nothing can be written
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.execvp("unshare", ["unshare", "-m", "sh", "-c", ENTER, "sh", str(place.resolve()), sys.executable, *sys.argv])
