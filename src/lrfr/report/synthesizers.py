"""The section of synthesisers that learn: what each made after some of its epochs."""

from lrfr import paths
from lrfr.decoding import decode
from lrfr.errors import ResultError
from lrfr.report.blocks import Section, Sheet
from lrfr.report.results import Results
from lrfr.report.sheets import Row, shown

ROWS = {"hr": "HR original", "native": "native, others"}


def section(results: Results) -> Section | None:
    """A sheet of samples for each; None where none learns.

    Raises:
        ResultError: one has left no samples.
        ImageError: a picture cannot be read.
    """
    names = list(results.params.learned_synthesizers)
    if not names:
        return None
    return Section(
        "learned-synthesizers",
        "Learned synthesisers",
        "Networks that learn what native LR faces look like, from HR and native training faces that show other people "
        "(RAN, section 3.2). Their losses and the discriminators' accuracy are among the trainings below.",
        [_sheet(name) for name in names],
    )


def _sheet(name: str) -> Sheet:
    """HR faces in columns, in each row what was made of them after an epoch; native training faces last."""
    strips = sorted(paths.samples(name).glob("*.png"))
    if not strips:
        raise ResultError("a result is missing", where=paths.samples(name), remedy=f"lrfr train-synthesizer {name}")
    rows = []
    for path in strips:
        strip = decode(path.read_bytes(), where=path)
        kind = path.stem.partition("_")[2]
        label = ROWS.get(kind) or f"after epoch {int(kind.removeprefix('epoch_'))}"
        faces = strip.reshape(len(strip), -1, len(strip), 3).swapaxes(0, 1)
        rows.append(Row(label, [shown(face, f"{label}, {name}") for face in faces]))
    count = max(len(row.faces) for row in rows)
    caption = "As the network sees and makes them, aligned where its backbone wants them so; each row has its own size."
    return Sheet(f"Samples of {name}", caption, [str(number + 1) for number in range(count)], rows, subject="Row")
