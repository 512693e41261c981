"""validate: every table meets what is expected of it, or the pipeline stops here."""

from lrfr import paths
from lrfr.config import read_params
from lrfr.files import read_json, write_json, write_text
from lrfr.offline import stay_offline


def run(data_docs: bool = False) -> None:
    """Checks every table made so far; writes data/validation/result.json and reports/quality.html, whatever they say.

    Whether all is met stands in data/validation/passed.json too, which is equal for all data that passes.

    Args:
        data_docs: also build Great Expectations' own pages in reports/data_docs.

    Raises:
        FaceTableError: a table is missing, or misses a column.
        ValidationFailedError: an expectation is not met; both files are written before.
        VerdictError: a manifest has a line that cannot be right.
    """
    params = read_params()
    from lrfr.quality.tables import face_frame, part_counts, pictured

    tables = [pictured(path, decoded=True) for path in (paths.BENCHMARK, paths.AUXILIARY)]
    unrecognizable = pictured(paths.UNRECOGNIZABLE, decoded=True)
    labellers = read_json(paths.LABELLER_METRICS, "lrfr curate")
    stay_offline()
    from lrfr.quality import checking, page
    from lrfr.quality.suites import every_suite
    from lrfr.quality.test_sets import training

    benchmark, auxiliary = (face_frame(table) for table in tables)
    suites = every_suite(benchmark, auxiliary, unrecognizable, training(*tables, unrecognizable), params)
    checked = checking.check(suites, paths.DATA_DOCS.resolve() if data_docs else None)
    result = {
        "success": all(table["success"] for table in checked.values()),
        "parts": part_counts(benchmark, auxiliary),
        "tables": checked,
    }
    write_json(paths.VALIDATION_RESULT, result)
    write_json(paths.VALIDATION_PASSED, {"success": result["success"]})
    write_text(paths.QUALITY_PAGE, page.render(result, labellers))
    if not result["success"]:
        raise checking.failure(checked, paths.VALIDATION_RESULT, paths.QUALITY_PAGE)
