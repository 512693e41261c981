"""Runs suites of expectations with Great Expectations, in memory, and brings the outcome into a stable shape."""

import html
import logging
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import great_expectations as gx
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)

from lrfr.errors import ValidationFailedError
from lrfr.quality.expectations import Suite

EXAMPLES = 10  # offending rows that the result names, per expectation


def check(suites: list[Suite], data_docs: Path | None = None) -> dict[str, dict[str, Any]]:
    """Checks every suite's frame; equal frames give equal results.

    Args:
        suites: what to check.
        data_docs: the absolute folder of Great Expectations' own Data Docs, or None.

    Returns:
        By each suite's name: title, note, rows, success, statistics and ``expectations``, in the suite's order. Each of
        these is Great Expectations' description (expectation_type, kwargs, success, result) with ``says``, the
        expectation in plain words, ``observed``, what was found in plain words, and ``examples``, at most 10 offending
        rows.
    """
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    context = gx.get_context(mode="ephemeral", project_config=_in_memory(None))
    results = {suite.name: _check_suite(context, suite) for suite in suites}
    if data_docs:
        _write_data_docs(suites, data_docs)
    return results


def _write_data_docs(suites: list[Suite], folder: Path) -> None:
    """Great Expectations' own pages. It puts values into them as they are, so that a name could be a script there:
    names, and whatever else is text in a table, are escaped before it sees them."""
    context = gx.get_context(mode="ephemeral", project_config=_in_memory(folder))
    for suite in suites:
        escaped = suite.frame.map(lambda value: html.escape(value) if isinstance(value, str) else value)
        fresh = [expectation.copy(update={"id": None}) for expectation in suite.expectations]  # a suite keeps its own
        _check_suite(context, replace(suite, frame=escaped, expectations=fresh))
    context.build_data_docs()


def failure(checked: dict[str, dict[str, Any]], where: Path, page: Path) -> ValidationFailedError:
    """The error that lists what is not met, in plain words.

    Args:
        checked: as :func:`check` gives it, with an expectation that failed.
        where: the file that holds it.
        page: the page that shows it.
    """
    failed = [
        f"  - {table['title']}: {expectation['says']} Observed: {expectation['observed']}{_example(expectation)}"
        for table in checked.values()
        for expectation in table["expectations"]
        if not expectation["success"]
    ]
    return ValidationFailedError(
        "\n".join([f"the data does not meet {len(failed)} of its expectations:", *failed]),
        where=where,
        remedy=f"open {page}, which names the rows; correct the data or params.yaml, then: dvc repro",
    )


def _example(expectation: dict[str, Any]) -> str:
    """Names the first offending row, if there is one."""
    first = expectation["examples"][:1]
    return "".join(f", such as {', '.join(f'{key} {value}' for key, value in row.items())}" for row in first)


def _check_suite(context: Any, suite: Suite) -> dict[str, Any]:
    source = context.data_sources.add_pandas(suite.name)
    batch = source.add_dataframe_asset(suite.name).add_batch_definition_whole_dataframe("all")
    registered = context.suites.add(gx.ExpectationSuite(name=suite.name, expectations=suite.expectations))
    definition = gx.ValidationDefinition(name=suite.name, data=batch, suite=registered)
    outcome = context.validation_definitions.add(definition).run(
        batch_parameters={"dataframe": suite.frame},
        result_format={
            "result_format": "SUMMARY",
            "unexpected_index_column_names": [suite.key],
            "partial_unexpected_count": EXAMPLES,
        },
    )
    # Great Expectations orders its results in its own way, and gives a failing one no other name.
    by_note = {result.expectation_config.notes: result.describe_dict() for result in outcome.results}
    notes = [str(expectation.notes) for expectation in suite.expectations]
    return {
        "title": suite.title,
        "note": suite.note,
        "rows": len(suite.frame),
        "success": outcome.success,
        "statistics": outcome.statistics,
        "expectations": [_readable(by_note[note], note, suite) for note in notes],
    }


def _readable(described: dict[str, Any], says: str, suite: Suite) -> dict[str, Any]:
    result = described["result"]
    if not result:  # Great Expectations swallowed an exception
        raise RuntimeError(f"the expectation '{says}' on {suite.name} could not be computed: {described}")
    if "unexpected_count" in result:
        count, total = result["unexpected_count"], result["element_count"]
        observed = (
            f"{count:,} of {total:,} {suite.unit} break it" if count else f"it holds for all {total:,} {suite.unit}"
        )
    else:
        value = result["observed_value"]
        observed = "nothing" if value is None else f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"
    rows = result.get("partial_unexpected_index_list") or []
    examples = [{suite.key: row[suite.key]} | row for row in rows]
    return _finite(described | {"says": says, "observed": observed, "examples": examples})


def _finite(value: Any) -> Any:
    """Writes infinities and NaN as text: JSON has none."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return str(float(value)) if isinstance(value, float) and not math.isfinite(value) else value


def _in_memory(data_docs: Path | None) -> DataContextConfig:
    """A context that keeps quiet and writes nothing, but for the Data Docs if they are wanted."""
    site = {
        "class_name": "SiteBuilder",
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(data_docs)},
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
    }
    return DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(),
        data_docs_sites={"quality": site} if data_docs else {},
        analytics_enabled=False,
        progress_bars=ProgressBarsConfig(globally=False),
    )
