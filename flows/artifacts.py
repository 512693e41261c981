"""What a flow leaves in Prefect's user interface: tables, a picture, and links to the pages of the project."""

import base64
from pathlib import Path

from prefect.artifacts import create_image_artifact, create_link_artifact, create_table_artifact

from lrfr import paths
from lrfr.retraining.decisions import Decision, read_decisions
from lrfr.retraining.pictures import gate_picture

SHOWN = 20  # decisions


def attach(decision: Decision) -> None:
    """Hangs a decision on the flow's run: what was decided lately, the batches, the gates, and where the pages are."""
    create_table_artifact(_lately(), key="decisions", description="What was decided lately, the last first")
    if decision.batches:
        create_table_artifact(_batches(decision), key="batches", description="What arrived, and what became of it")
    if decision.drift is not None:
        create_table_artifact(_drift(decision), key="drift", description="Arrivals against the released model's data")
    if decision.gates:
        create_table_artifact(_gates(decision), key="gates", description="The challenger against the champion")
        encoded = base64.b64encode(gate_picture(decision).encode()).decode()
        create_image_artifact(f"data:image/svg+xml;base64,{encoded}", key="gates-picture", description="The same")
    for key, page in (("report-page", paths.REPORT), ("quality-page", paths.QUALITY_PAGE)):
        link(key, page)


def link(key: str, page: Path) -> None:
    """A link to a page of the project, if it was made."""
    if page.is_file():
        create_link_artifact(page.absolute().as_uri(), str(page), key=key, description="On the machine that ran it")


def _lately() -> list[dict[str, object]]:
    return [
        {"at": made.at, "flow": made.flow, "decision": made.decision, "why": made.reasons[0], "champion": made.champion}
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


def _drift(decision: Decision) -> list[dict[str, object]]:
    columns = (decision.drift or {})["columns"]
    return [
        {"column": name, "p": f"{column['p_value']:.2g}", "now": f"{column.get('current_mean', 0):.3g}"}
        for name, column in columns.items()
    ]


def _gates(decision: Decision) -> list[dict[str, object]]:
    return [
        {"gate": gate["gate"], "passed": "yes" if gate["passed"] else "NO", "observed": gate["observed"]}
        for gate in decision.gates
    ]
