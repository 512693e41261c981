"""validate: every table meets what is expected of it, or the pipeline stops here."""

from typing import Any

from lrfr import faces, paths
from lrfr.config import read_params
from lrfr.errors import ValidationFailedError
from lrfr.files import write_json, write_text
from lrfr.offline import stay_offline


def run(data_docs: bool = False) -> None:
    """Checks the split's tables; writes data/validation/result.json and reports/quality.html, whatever they say.

    Args:
        data_docs: also build Great Expectations' own pages in reports/data_docs.

    Raises:
        FaceTableError: a table is missing, or misses a column.
        ValidationFailedError: an expectation is not met; both files are written before.
    """
    params = read_params()
    tables = [faces.read_faces(path) for path in (paths.BENCHMARK, paths.AUXILIARY)]
    stay_offline()
    from lrfr.quality import checking, expectations, page
    from lrfr.quality.tables import face_frame, identity_frame, part_counts

    benchmark, auxiliary = (face_frame(table) for table in tables)
    max_side = params.curate.max_side
    suites = [
        expectations.benchmark_suite(benchmark, params.validate_, max_side),
        expectations.auxiliary_suite(auxiliary, benchmark, max_side),
        expectations.identity_suite(identity_frame(benchmark, auxiliary), params.validate_),
    ]
    checked = checking.check(suites, paths.DATA_DOCS.resolve() if data_docs else None)
    result = {
        "success": all(table["success"] for table in checked.values()),
        "parts": part_counts(benchmark, auxiliary),
        "tables": checked,
    }
    write_json(paths.VALIDATION_RESULT, result)
    write_text(paths.QUALITY_PAGE, page.render(result))
    if not result["success"]:
        raise _failure(checked)


def _failure(checked: dict[str, dict[str, Any]]) -> ValidationFailedError:
    """The error that lists what is not met, in plain words."""
    failed = [
        f"  - {table['title']}: {expectation['says']} Observed: {expectation['observed']}{_example(expectation)}"
        for table in checked.values()
        for expectation in table["expectations"]
        if not expectation["success"]
    ]
    return ValidationFailedError(
        "\n".join([f"the data does not meet {len(failed)} of its expectations:", *failed]),
        where=f"{paths.BENCHMARK}, {paths.AUXILIARY}",
        remedy=f"open {paths.QUALITY_PAGE}, which names the rows; correct the data or params.yaml, then: dvc repro",
    )


def _example(expectation: dict[str, Any]) -> str:
    """Names the first offending row, if there is one."""
    first = expectation["examples"][:1]
    return "".join(f", such as {', '.join(f'{key} {value}' for key, value in row.items())}" for row in first)
