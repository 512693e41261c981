"""What files of embeddings say of the model that made them, and hence by which metric they are compared.

`lrfr embed` writes it into its .npz and .parquet files. Embeddings of two models cannot be compared with each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from lrfr.core.scoring import METRICS
from lrfr.errors import EmbeddingError
from lrfr.files import parse_json

TOLD = {"model": "weights", "metric": "metric", "presentation": "presentation", "fusion": "fusion"}
"""What must be the same on both sides, and what it is called."""


@dataclass(frozen=True)
class Comparison:
    """How embeddings that belong together are compared.

    Attributes:
        metric: ``cosine`` or ``euclidean``.
        model: what their files say of the model, in words; empty where they say nothing.
        notes: what the user should know, one sentence each.
    """

    metric: str
    model: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def definition(self) -> dict[str, str]:
        """The metric and the model."""
        return {"metric": self.metric} | ({"model": self.model} if self.model else {})


def comparison(files: Sequence[Path], wanted: str | None) -> Comparison:
    """How the embeddings in these files are compared: by ``wanted``, else as their model says, else by the cosine.

    Raises:
        EmbeddingError: they are of different models, or of one that was given its faces in different ways; or a file's
            facts cannot be read.
    """
    files = list(dict.fromkeys(files))
    told = {path: facts for path in files if (facts := read_facts(path)) is not None}
    for name, called in TOLD.items():
        _check_same(name, called, told)
    known: Mapping[str, Any] = next(iter(told.values()), {})
    own = known.get("metric")
    notes = []
    if wanted and own and wanted != own:
        notes.append(f"compared by {wanted}, as --metric says; the model's own metric is {own}")
    silent = [path.name for path in files if path not in told]
    if told and silent:
        notes.append(f"{', '.join(silent)} does not say which model it is of: is it the same?")
    return Comparison(wanted or own or "cosine", _in_words(known), notes)


def read_facts(path: Path) -> dict[str, Any] | None:
    """What a file says of the model; None where it says nothing.

    Raises:
        EmbeddingError: that is not what `lrfr embed` writes.
    """
    text = {".npz": _of_npz, ".parquet": _of_parquet}.get(path.suffix.lower(), lambda path: None)(path)
    if text is None:
        return None
    try:
        facts = parse_json(text)
    except ValueError:
        facts = None
    if not isinstance(facts, dict) or facts.get("metric", METRICS[0]) not in METRICS:
        what = "what the file says of its model under 'facts' is not what lrfr embed writes"
        raise EmbeddingError(what, where=path, remedy="embed again, or leave 'facts' out and give --metric")
    return {"fusion": "none", **facts}


def _of_npz(path: Path) -> str | None:
    with np.load(path, allow_pickle=False) as stored:
        facts = stored["facts"] if "facts" in stored.files else None
    return str(facts) if facts is not None and facts.ndim == 0 and facts.dtype.kind == "U" else None


def _of_parquet(path: Path) -> str | None:
    facts = (pq.read_schema(path).metadata or {}).get(b"facts")
    return None if facts is None else facts.decode(errors="replace")


def _check_same(name: str, called: str, told: Mapping[Path, Mapping[str, Any]]) -> None:
    values = {path: facts[name] for path, facts in told.items() if name in facts}
    differing = [path for path in values if values[path] != next(iter(values.values()))]
    if differing:
        first, other = next(iter(values)), differing[0]
        said = [f"{path.name}: {_short(values[path])}" for path in (first, other)]
        what = f"the embeddings cannot be compared: their models differ in {called} ({'; '.join(said)})"
        raise EmbeddingError(what, where=other, remedy="embed both with one model and in one way: lrfr embed")


def _in_words(facts: Mapping[str, Any]) -> str:
    """The weights by the start of their hash, and how they are given faces."""
    said = [_short(facts["model"])] if "model" in facts else []
    if "presentation" in facts:
        aligned = facts["presentation"] != "as_cropped"
        said.append(f"faces aligned to {facts['presentation']}" if aligned else "faces as cropped")
    if facts.get("fusion", "none") != "none":
        said.append(f"fusion {facts['fusion']}")
    return ", ".join(said)


def _short(value: object) -> str:
    """A hash by its start, which is enough to tell two apart by eye."""
    text = str(value)
    return text[:12] if len(text) == 64 else text
