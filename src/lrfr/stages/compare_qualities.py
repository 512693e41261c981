"""compare-qualities: the qualities of several runs on the scores of one, where ``evaluate.compared_qualities`` asks."""

from lrfr import paths
from lrfr.config import BENCHMARK, read_params
from lrfr.files import write_json
from lrfr.protocols import compared_qualities
from lrfr.protocols.options import Evaluate
from lrfr.protocols.stored import read_stored
from lrfr.test_sets import test_sets


def run() -> None:
    """Writes metrics/compared_qualities.json, which is empty where nothing is asked for.

    Raises:
        EmbeddingError: embeddings are missing or damaged, or a run has not the quality that is asked for.
        FaceTableError: the benchmark is missing or damaged.
    """
    params = read_params()
    options = params.read("evaluate", Evaluate)
    chosen = options.compared_qualities
    if chosen is None:
        write_json(paths.COMPARED_QUALITIES, {})
        return
    (benchmark,) = (test_set for test_set in test_sets(params) if test_set.name == BENCHMARK)
    found = {name: read_stored(name, benchmark.name, benchmark.faces, benchmark.has_lists) for name in chosen.runs}
    tables = found[chosen.scores][0]
    embeddings = {name: of for name, (_, of) in found.items()}
    figures = compared_qualities.evaluate(tables, embeddings, chosen, options.bootstrap, params.seed)
    write_json(paths.COMPARED_QUALITIES, figures)
