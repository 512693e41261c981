"""drift: how far one synthesiser's faces are from native ones, by their pictures and as a backbone sees them."""

from typing import Any

import numpy as np

from lrfr import paths
from lrfr.config import read_params
from lrfr.errors import unknown_name
from lrfr.files import write_json, write_text
from lrfr.offline import stay_offline
from lrfr.quality.embedded import embed_sample, read_for_comparison
from lrfr.quality.face_sample import FaceSample, sample_faces, statistics_of
from lrfr.quality.gap import LEVEL, EmbeddingGap, compare_columns, compare_embeddings, compared, statistics_auc
from lrfr.quality.limits import Drift

EMBEDDED = 1000  # faces of each kind at most: the kernel grows with their square
TELLING = 10  # faces of each kind that the classifier is surest about
HR = "hr_face_id"  # every synthesiser is judged by its versions of the same HR faces


def run(name: str) -> None:
    """Writes data/drift/NAME.json and reports/drift_NAME.html.

    Native faces are those that train: a synthesiser that a run takes because it is the closest must not have been
    chosen by a test face, nor by a distractor of the gallery.

    Raises:
        ParameterError: no such synthesiser.
        BenchmarkError: too few faces to compare.
        TrainingError: the backbone is missing.
        ImageError: a face's image cannot be decoded.
    """
    params = read_params()
    if name not in params.synthesizers:
        raise unknown_name("synthesizer", name, params.synthesizers, f"{paths.PARAMS}: synthesizers")
    chosen, seed = params.read("drift", Drift), params.seed
    samples = (
        sample_faces(paths.BENCHMARK, {"train"}, chosen.sample, seed),
        sample_faces(paths.synthetic(name), None, chosen.sample, seed, drawn_by=HR),
    )
    native, synthetic = (statistics_of(faces, with_confidence=True) for faces in samples)
    embeddings, telling = _embeddings(samples, chosen.backbone, params.threads, seed)
    tests = len(compared(native, synthetic)) + 1
    columns = compare_columns(native, synthetic, tests)
    share = sum(column["drifted"] for column in columns.values()) / len(columns)
    by_statistics = statistics_auc(native, synthetic, seed)
    stay_offline()
    from lrfr.quality.drift import evidently_report

    found = evidently_report(native, synthetic, chosen.drift_share, by_statistics["auc"])
    summary = {
        "faces": {"native": len(samples[0]), "synthetic": len(samples[1])},
        "columns": columns,
        "drifted_share": share,
        "drift_share": chosen.drift_share,
        "drift": share >= chosen.drift_share,
        "statistics": by_statistics,
        "embeddings": embeddings | {"drifted": embeddings["p_value"] <= LEVEL / tests},
        "telling": telling,
    }
    told = {"synthesizer": name, "backbone": chosen.backbone, "summary": summary, "evidently": found.result}
    write_json(paths.drift_result(name), told)
    write_text(paths.drift_page(name), found.page)


def _embeddings(
    samples: tuple[FaceSample, FaceSample], backbone: str, threads: int, seed: int
) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """How far apart the backbone's embeddings are, and the faces that tell it best."""
    model = read_for_comparison(paths.pretrained(backbone), threads)
    fewer = [faces.first(EMBEDDED, seed) for faces in samples]
    native, synthetic = (embed_sample(model, faces).embedding for faces in fewer)
    gap = compare_embeddings(native, synthetic, seed)
    return gap.figures, _telling(gap, fewer)


def _telling(gap: EmbeddingGap, samples: list[FaceSample]) -> dict[str, list[str]]:
    """The faces that the classifier is surest are native, and those that it is surest are synthetic."""
    count = len(samples[0])
    native, synthetic = gap.belonging[:count], -gap.belonging[count:]
    sides = zip(("native", "synthetic"), samples, (native, synthetic), strict=True)
    return {side: faces.face_ids[np.argsort(sure, kind="stable")[:TELLING]].tolist() for side, faces, sure in sides}
