"""How much memory there is, for files that ask for more: a few bytes can declare any size."""

import os
from pathlib import Path

LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")  # of a container


def usable() -> int:
    """The bytes of memory that this machine, or the container on it, has in all."""
    limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for limit in map(Path, LIMITS):
        try:
            limits.append(int(limit.read_text()))
        except (OSError, ValueError):  # none there, or "max"
            continue
    return min(limits)


def excess(size: int) -> str | None:
    """What to say of something of ``size`` bytes that cannot fit the memory; None where it can."""
    have = usable()
    return None if size <= have else f"it would take {size / 1e9:,.0f} GB of memory, and there are {have / 1e9:,.0f}"
