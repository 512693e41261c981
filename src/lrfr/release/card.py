"""The model card: Hugging Face's layout, YAML in front of Markdown, and the parts without which nothing is released."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lrfr.errors import ReleaseError
from lrfr.pages import render
from lrfr.release.settings import ModelCard

INTENDED, OUT_OF_SCOPE, LIMITS = "Intended use", "What it must not be used for", "Limits"
RESULTS, BY_SIZE, BY_GROUP = "Results", "Results by face size", "Results by group"
FRONT = ("license", "library_name", "model-index")
PARTS = (INTENDED, OUT_OF_SCOPE, LIMITS, RESULTS, BY_SIZE, BY_GROUP)
TASK = "image-feature-extraction"  # Hugging Face's; it has none of face recognition
GALLERIES = {"distractors": "with distractors", "no_distractors": "named faces only"}
FIGURES = {"rank1": "Rank-1", "rank20": "Rank-20", "map": "mAP"}


def model_card(facts: Mapping[str, Any], told: ModelCard, dataset: str, shows_nobody: bool) -> str:
    """The text of the card; equal facts give equal text.

    Args:
        facts: what ``release.json`` says.
        told: what nobody can read off the figures.
        dataset: the name of the benchmark's data.
        shows_nobody: whether all whom the model was trained and tested on are generated.
    """
    return render(
        "model_card.md.j2",
        **facts,
        front_matter=_front_matter(facts, told, dataset),
        told=told,
        dataset=dataset,
        shows_nobody=shows_nobody,
        galleries=GALLERIES,
        figure=_figure,
        INTENDED=INTENDED,
        OUT_OF_SCOPE=OUT_OF_SCOPE,
        LIMITS=LIMITS,
        RESULTS=RESULTS,
        BY_SIZE=BY_SIZE,
        BY_GROUP=BY_GROUP,
    )


def check_card(path: Path) -> None:
    """Reads a card as Hugging Face does.

    Raises:
        ReleaseError: it cannot be read, or lacks a part without which nothing is released.
    """
    from huggingface_hub import ModelCard as Card

    remedy = "make it anew: dvc repro package; params.yaml: model_card says what no table can tell"
    try:
        card = Card(path.read_text(encoding="utf-8"))
        front = card.data.to_dict()
    except FileNotFoundError as error:
        raise ReleaseError("the model card is missing", where=path, remedy=remedy) from error
    except Exception as error:  # YAML's errors, and what a value of the wrong kind meets with
        what = f"Hugging Face could not read the model card: {' '.join(str(error).split()) or type(error).__name__}"
        raise ReleaseError(what, where=path, remedy=remedy) from error
    lacking = [key for key in FRONT if not front.get(key)] + [part for part in PARTS if not _has(card.text, part)]
    if lacking:
        raise ReleaseError(f"the model card lacks {', '.join(lacking)}", where=path, remedy=remedy)


def _has(text: str, part: str) -> bool:
    """Whether a section of that name has anything in it."""
    return re.search(rf"^## {re.escape(part)}\n+(?!#)\S", text, re.MULTILINE) is not None


def _front_matter(facts: Mapping[str, Any], told: ModelCard, dataset: str) -> str:
    from huggingface_hub import EvalResult, ModelCardData

    results = [
        EvalResult(
            task_type=TASK,
            task_name="closed-set face identification",
            dataset_type=dataset,
            dataset_name=f"{dataset}, {GALLERIES[gallery]}",
            metric_type=name,
            metric_name=f"{title}, 95 % interval {_interval(result, name)}",
            metric_value=result[name],
        )
        for gallery, result in facts["results"].items()
        for name, title in FIGURES.items()
    ]
    named = facts["release"]
    imported = facts["provenance"]
    data = ModelCardData(
        model_name=named["name"],
        library_name="lrfr",
        license="other" if imported else told.licence,
        license_name=(imported.get("licence") or "not stated") if imported else None,
        pipeline_tag=TASK,
        tags=["face-recognition", "low-resolution", "onnx", "safetensors"],
        version=named["version"],
        eval_results=results,
    )
    return data.to_yaml()


def _figure(result: Mapping[str, Any], name: str) -> str:
    return f"{result[name]:.3f} ({_interval(result, name)})"


def _interval(result: Mapping[str, Any], name: str) -> str:
    ends = result[f"{name}_interval"]
    return "one identity alone: no interval" if ends is None else f"{ends[0]:.3f} to {ends[1]:.3f}"
