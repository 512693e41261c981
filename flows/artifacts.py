"""What a flow leaves in Prefect's user interface: the decision in words, with a picture of its gates, and tables.

A browser opens no file from a page that a server gave it, so where the project's pages are is said and not linked.
Tables there are as wide as their rows, and what is beyond the window is cut off: what matters comes first.
"""

import base64
from pathlib import Path

from prefect.artifacts import create_markdown_artifact, create_table_artifact

from lrfr import paths
from lrfr.retraining.decisions import Decision, read_decisions
from lrfr.retraining.pictures import gate_picture

SHOWN = 20  # decisions


def attach(decision: Decision) -> None:
    """Hangs a decision on the flow's run: why it was made, what was decided lately, the batches, drift, the gates."""
    create_markdown_artifact(_in_words(decision), key="decision", description="What was decided, and why")
    create_table_artifact(_lately(), key="decisions", description="What was decided lately, the last first")
    if decision.batches:
        create_table_artifact(_batches(decision), key="batches", description="What arrived, and what became of it")
    if decision.drift is not None:
        create_table_artifact(_drift(decision), key="drift", description="Arrivals against the released model's data")
    if decision.gates:
        create_table_artifact(_gates(decision), key="gates", description="The challenger against the champion")


def place_of(page: Path) -> str:
    """Where a page of the project is, to be put into a browser's address bar on the machine that ran it; Markdown."""
    return f"`{page.absolute().as_uri()}`"


def _in_words(decision: Decision) -> str:
    said = [f"# {decision.flow}: {decision.decision}", f"Released: {decision.champion}."]
    said.append("\n".join(f"- {reason}" for reason in decision.reasons))
    if decision.gates:
        encoded = base64.b64encode(gate_picture(decision).encode()).decode()
        said.append(f"![The challenger against the champion](data:image/svg+xml;base64,{encoded})")
    pages = [f"- {place_of(page)}" for page in (paths.REPORT, paths.QUALITY_PAGE) if page.is_file()]
    if pages:
        said += ["Pages on the machine that ran it:", "\n".join(pages)]
    return "\n\n".join(said)


def _lately() -> list[dict[str, object]]:
    return [
        {"at": made.at, "flow": made.flow, "decision": made.decision, "released": made.champion, "why": made.reasons[0]}
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
        {"passed": "yes" if gate["passed"] else "NO", "observed": gate["observed"], "gate": gate["gate"]}
        for gate in decision.gates
    ]
