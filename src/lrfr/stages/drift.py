"""drift: how far every synthesiser's faces are from native ones, by their pictures and as a backbone sees them."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lrfr import paths
from lrfr.config import read_params
from lrfr.files import write_json, write_text
from lrfr.nn.model_file import Model
from lrfr.offline import stay_offline
from lrfr.quality.embedded import embed_sample, read_for_comparison
from lrfr.quality.face_sample import Columns, FaceSample, sample_faces, statistics_of
from lrfr.quality.gap import LEVEL, EmbeddingGap, compare_columns, compare_embeddings, compared, statistics_auc
from lrfr.quality.limits import Drift

EMBEDDED = 1000  # faces of each kind at most: the kernel grows with their square
TELLING = 10  # faces of each kind that the classifier is surest about
HR = "hr_face_id"  # every synthesiser is judged by its versions of the same HR faces


@dataclass(frozen=True)
class MeasuredFaces:
    """A sample in numbers.

    Attributes:
        columns: (N,) of each statistic.
        embedded: those of its faces that were embedded, n of N.
        embedding: (n, D) of them, as the backbone's metric compares them.
    """

    columns: Columns
    embedded: FaceSample
    embedding: np.ndarray

    def __len__(self) -> int:
        """N."""
        return len(next(iter(self.columns.values())))


def run() -> None:
    """Writes data/drift/NAME.json and reports/drift/NAME.html for each synthesiser; native faces are measured once.

    Native faces are those that train: a synthesiser that a run takes because it is the closest must not have been
    chosen by a test face, nor by a distractor of the gallery.

    Raises:
        BenchmarkError: too few faces to compare.
        FaceTableError: a table is missing.
        TrainingError: the backbone is missing.
        ImageError: a face's image cannot be decoded.
    """
    params = read_params()
    chosen, seed = params.read("drift", Drift), params.seed
    model = read_for_comparison(paths.pretrained(chosen.backbone), params.threads)
    native = _measured(sample_faces(paths.BENCHMARK, {"train"}, chosen.sample, seed), model, seed)
    stay_offline()
    from lrfr.quality.drift import evidently_report  # 5 s

    for name in params.all_synthesizers:
        drawn = sample_faces(paths.synthetic(name), None, chosen.sample, seed, drawn_by=HR)
        synthetic = _measured(drawn, model, seed)
        summary = _compared(native, synthetic, chosen.drift_share, seed)
        auc = summary["statistics"]["auc"]
        found = evidently_report(native.columns, synthetic.columns, chosen.drift_share, auc)
        told = {"synthesizer": name, "backbone": chosen.backbone, "summary": summary, "evidently": found.result}
        write_json(paths.drift_result(name), told)
        write_text(paths.drift_page(name), found.page)


def _measured(faces: FaceSample, model: Model, seed: int) -> MeasuredFaces:
    embedded = faces.first(EMBEDDED, seed)
    columns = statistics_of(faces, with_confidence=True)
    return MeasuredFaces(columns, embedded, embed_sample(model, embedded).embedding)


def _compared(native: MeasuredFaces, synthetic: MeasuredFaces, drift_share: float, seed: int) -> dict[str, Any]:
    """How far apart they are, by each statistic, by all of them and by embeddings, and the faces that tell it best."""
    tests = len(compared(native.columns, synthetic.columns)) + 1
    columns = compare_columns(native.columns, synthetic.columns, tests)
    share = sum(column["drifted"] for column in columns.values()) / len(columns)
    gap = compare_embeddings(native.embedding, synthetic.embedding, seed)
    return {
        "faces": {"native": len(native), "synthetic": len(synthetic)},
        "columns": columns,
        "drifted_share": share,
        "drift_share": drift_share,
        "drift": share >= drift_share,
        "statistics": statistics_auc(native.columns, synthetic.columns, seed),
        "embeddings": gap.figures | {"drifted": gap.figures["p_value"] <= LEVEL / tests},
        "telling": _telling(gap, native.embedded, synthetic.embedded),
    }


def _telling(gap: EmbeddingGap, native: FaceSample, synthetic: FaceSample) -> dict[str, list[str]]:
    """The faces that the classifier is surest are native, and those that it is surest are synthetic."""
    sure = {"native": gap.belonging[: len(native)], "synthetic": -gap.belonging[len(native) :]}
    return {
        side: faces.face_ids[np.argsort(sure[side], kind="stable")[:TELLING]].tolist()
        for side, faces in (("native", native), ("synthetic", synthetic))
    }
