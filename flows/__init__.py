"""Prefect flows: when, whether and who is told. What is run, and what is stale, is DVC's to know.

Prefect reads its settings from the environment when it is imported, so they stand here, before any flow.
"""

import os
from pathlib import Path

from lrfr.offline import stay_offline

stay_offline()
os.environ.setdefault("PREFECT_HOME", str(Path(".prefect").absolute()))
os.environ.setdefault("PREFECT_SERVER_ALLOW_EPHEMERAL_MODE", "false")  # flows/server.py starts a safer one
