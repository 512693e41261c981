"""What a flow leaves in Prefect's pages: the reasons in full, tables, a picture, and where the project's pages are."""

import base64
import os
from pathlib import Path
from typing import Any

from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact

from lrfr import paths
from lrfr.config import read_params
from lrfr.files import read_json
from lrfr.retraining.decisions import Decision, read_decisions
from lrfr.retraining.pictures import gate_picture

SHOWN = 20  # decisions
PAGES = "LRFR_PAGES"  # the variable that says at which http address the folder `reports` can be seen
FAILED_PAGES = {"validate": paths.QUALITY_PAGE, "validate-synthetic": paths.SYNTHETIC_QUALITY_PAGE}
BY_HAND = "On the machine that ran it. Browsers follow no link from here to a file: copy it into the address bar"


def attach(decision: Decision) -> None:
    """Hangs a decision on the flow's run: what was decided lately, the batches, the gates, and where the pages are."""
    create_markdown_artifact(_in_full(decision), key="decision", description=f"What {decision.flow} decided, and why")
    create_table_artifact(_lately(), key="decisions", description="What was decided lately, the last first")
    if decision.batches:
        create_table_artifact(_batches(decision), key="batches", description="What arrived, and what became of it")
    if decision.drift is not None:
        create_table_artifact(_drift(decision.drift), key="drift", description="Arrivals against the released model's")
    if decision.gates:
        create_table_artifact(_gates(decision), key="gates", description="The challenger against the champion")
    for key, page in (("report-page", paths.REPORT), ("quality-page", paths.QUALITY_PAGE)):
        attach_page(key, page)


def attach_failure(stage: str, said: str) -> None:
    """What a stage said when it failed, and the page that it names, so that nobody has to search the log."""
    create_markdown_artifact(f"```\n{said}\n```", key="failure", description=f"Why the stage '{stage}' failed")
    if stage in FAILED_PAGES:
        attach_page("quality-page", FAILED_PAGES[stage])


def attach_page(key: str, page: Path) -> None:
    """Where a page of the project is, if it was made."""
    if not page.is_file():
        return
    if served := os.environ.get(PAGES):
        address = f"{served.rstrip('/')}/{page.relative_to(paths.REPORTS).as_posix()}"
        create_link_artifact(address, str(page), key=key, description=f"As {PAGES} says")
    else:
        create_markdown_artifact(f"`{page.absolute().as_uri()}`", key=key, description=BY_HAND)


def attach_leaderboard() -> None:
    """Every run's figures on the benchmark, as far as they were made."""
    rows = ["| run | rank-1 | 95 % interval | mAP |", "|---|---|---|---|"]
    for run in read_params().methods:
        if paths.metrics(run).is_file():
            result = read_json(paths.metrics(run))["sets"]["benchmark"]["distractors"]
            low, high = result["rank1_interval"]
            rows.append(f"| {run} | {result['rank1']:.3f} | {low:.3f} to {high:.3f} | {result['map']:.3f} |")
    markdown = "\n".join(["# TinyFace, with distractors", "", *rows])
    create_markdown_artifact(markdown, key="leaderboard", description="The runs, by TinyFace's protocol")


def _in_full(decision: Decision) -> str:
    """All reasons, and the gates' picture: the page of an image artifact shows its whole address, half a screen."""
    lines = [f"# {decision.flow}: {decision.decision}", "", f"Released: `{decision.champion}`", ""]
    lines += [f"- {_unlinked(reason)}" for reason in decision.reasons]
    if decision.gates:
        encoded = base64.b64encode(gate_picture(decision).encode()).decode()
        lines += ["", f"![The challenger against the champion](data:image/svg+xml;base64,{encoded})"]
    return "\n".join(lines)


def _unlinked(text: str) -> str:
    """A text with releases in it, ``model@v0.1.0``, of which the pages would make mail addresses."""
    return text.replace("@", " ")


def _lately() -> list[dict[str, object]]:
    """Prefect's tables wrap no line, so the longest text comes last."""
    return [
        {
            "at": made.at.replace("T", " ").removesuffix(":00Z").removesuffix("Z"),
            "flow": made.flow,
            "decision": made.decision,
            "released": made.champion.partition("@")[2],
            "why": _unlinked(made.reasons[0]),
        }
        for made in reversed(read_decisions()[-SHOWN:])
    ]


def _batches(decision: Decision) -> list[dict[str, object]]:
    return [
        {
            "batch": name,
            "became": "admitted" if batch.admitted else "refused",
            "files": batch.files,
            "faces": batch.faces,
            "people": batch.people,
            "why": "; ".join(batch.reasons),
        }
        for name, batch in decision.batches.items()
    ]


def _drift(drift: dict[str, Any]) -> list[dict[str, object]]:
    rows = [
        {"of": name, "p": f"{part['p_value']:.2g}", "then": _mean(part, "reference"), "now": _mean(part, "current")}
        for name, part in drift["columns"].items()
    ]
    if part := drift["embeddings"]:
        rows.append({"of": "embeddings", "p": f"{part['p_value']:.2g}", "then": "", "now": f"AUC {part['auc']:.3g}"})
    if part := drift["below_quality"]:
        then, now = (f"{part[side]:.3g}" for side in ("reference", "current"))
        rows.append({"of": "share of low quality", "p": f"{part['p_value']:.2g}", "then": then, "now": now})
    return rows


def _mean(part: dict[str, Any], side: str) -> str:
    mean = part.get(f"{side}_mean")
    return "" if mean is None else f"{mean:.3g}"


def _gates(decision: Decision) -> list[dict[str, object]]:
    parts = [(gate, *gate["gate"].split(": ", 1)) for gate in decision.gates]
    return [
        {"gate": name, "passed": "yes" if gate["passed"] else "NO", "observed": gate["observed"], "asked for": wanted}
        for gate, name, wanted in parts
    ]
