"""The kind of machine on which networks compute: on two of one kind they give the same bits."""

import hashlib
import os
import platform
from pathlib import Path

import cv2
import numpy as np
import torch

from lrfr.nn.compute import device

CPUINFO = Path("/proc/cpuinfo")


def kind_of_machine() -> dict[str, str]:
    """All that is known to decide how sums are rounded: the processor and what it can do, the GPU, the libraries."""
    where = device()
    return {
        "processor": _told("model name") or platform.processor() or platform.machine(),
        "instructions": hashlib.sha256(_told("flags").encode()).hexdigest()[:12],
        "allowed": f"{torch.backends.cpu.get_cpu_capability()} {os.environ.get('ONEDNN_MAX_CPU_ISA', '')}".strip(),
        "device": torch.cuda.get_device_name(where) if where.type == "cuda" else where.type,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "opencv": cv2.__version__,
    }


def _told(field: str) -> str:
    """What Linux says of the first processor; nothing elsewhere."""
    if not CPUINFO.is_file():
        return ""
    lines = (line.partition(":") for line in CPUINFO.read_text(encoding="utf-8", errors="replace").split("\n"))
    return next((value.strip() for name, _, value in lines if name.strip() == field), "")
