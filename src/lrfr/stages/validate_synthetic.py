"""validate-synthetic: synthetic faces meet what is expected of them, or the pipeline stops here.

:mod:`lrfr.stages.validate` looks at what is there before anything is made of it.
"""

from lrfr import paths
from lrfr.config import read_params
from lrfr.curation import Curate
from lrfr.files import write_json, write_text
from lrfr.offline import stay_offline
from lrfr.test_sets import SynLR


def run() -> None:
    """Checks the SynLR set and every synthesiser's faces; writes a result of each, and reports/quality_synthetic.html.

    There are two results so that another synthesiser does not let every test face be embedded again.

    Raises:
        FaceTableError: a table is missing, or misses a column.
        ValidationFailedError: an expectation is not met; all files are written before.
    """
    params = read_params()
    from lrfr.quality.tables import pictured, synthetic_counts

    hr_path = paths.test_set(params.read("synlr", SynLR).faces)
    benchmark, auxiliary, hr = (pictured(path) for path in (paths.BENCHMARK, paths.AUXILIARY, hr_path))
    synlr = pictured(paths.SYNLR, decoded=True)
    synthetic = {name: pictured(paths.synthetic(name), decoded=True) for name in params.all_synthesizers}
    stay_offline()
    from lrfr.quality import checking, page
    from lrfr.quality.synlr import synlr_suites
    from lrfr.quality.synthetic import synthetic_suites
    from lrfr.quality.test_sets import training

    checked = {
        paths.SYNLR_VALIDATION: checking.check(synlr_suites(synlr, benchmark, hr, training(benchmark, auxiliary))),
        paths.SYNTHETIC_VALIDATION: checking.check(
            synthetic_suites(synthetic, auxiliary, benchmark, params.read("curate", Curate).max_side)
        ),
    }
    for path, tables in checked.items():
        write_json(path, {"success": all(table["success"] for table in tables.values()), "tables": tables})
    every = {name: table for tables in checked.values() for name, table in tables.items()}
    success = all(table["success"] for table in every.values())
    result = {"success": success, "parts": synthetic_counts(benchmark, synlr, synthetic), "tables": every}
    write_text(paths.SYNTHETIC_QUALITY_PAGE, page.render_synthetic(result))
    if not success:
        raise checking.failure(every, paths.SYNLR_VALIDATION.parent, paths.SYNTHETIC_QUALITY_PAGE)
