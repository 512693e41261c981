"""The report as one HTML page."""

from lrfr import pages
from lrfr.report import (
    alignment,
    dataset,
    figures,
    full_resolution,
    leaderboard,
    recognizability,
    rejection,
    scoreboard,
    sheets,
    super_resolution,
    synthesizers,
    tables,
)
from lrfr.report.blocks import Section
from lrfr.report.chance import chance
from lrfr.report.paired import paired_table
from lrfr.report.published import TINYFACE_RESULTS
from lrfr.report.results import BENCHMARK, HEADLINES, Results
from lrfr.report.sections import section
from lrfr.report.training import training_figures


def render(results: Results) -> str:
    """Lays the results out: one page that needs no other file, script or network.

    Raises:
        ResultError: the benchmark has no probe with a mate, or runs were evaluated on different probes.
        FaceTableError, ImageError: a face table that the sheets show cannot be read.
    """
    styles = figures.styles(results.runs)
    floor = chance(results.sets[BENCHMARK].faces)
    return pages.render(
        "report.html.j2",
        results=results,
        params=results.params,
        verdict=leaderboard.verdict(results, floor),
        facts=tables.facts(results),
        headlines=list(HEADLINES.values()),
        budgets=leaderboard.budgets(results),
        leaderboard=leaderboard.entries(results, floor, styles),
        galleries=floor.galleries,
        published=TINYFACE_RESULTS,
        rank1=figures.rank1_panels(results, floor, styles),
        paired=paired_table(results, styles),
        sections=sections(results, styles),
        training=training_figures(results, styles),
        by_size=sheets.by_size(),
        by_identity=sheets.by_identity(),
        distractors=sheets.distractors(),
        synthetic=sheets.synthetic(list(results.params.all_synthesizers)),
        benchmarks=dataset.benchmark_rows(results.benchmark),
        partition=dataset.partition_rows(results.benchmark),
        heights=dataset.height_figure(results.benchmark["height"].to_numpy()),
        mean_size=[float(results.benchmark[side].to_numpy().mean()) for side in ("height", "width")],
        obtained=dataset.obtained(results.detection),
        labellers=tables.labellers(results),
        excluded=tables.shares(results.curation["excluded"]),
        quality=tables.quality_line([results.validation]),
        synthetic_quality=tables.quality_line(results.synthetic_validation),
        drift=tables.drift_lines(results),
    )


def sections(results: Results, styles: dict[str, str]) -> list[Section]:
    """A section for every test set, then one for each question that concerns several of them."""
    return [
        *(section(name, results, styles) for name in results.sets),
        full_resolution.section(results, styles),
        rejection.section(results, styles),
        *([known] if (known := recognizability.section(results, styles)) else []),
        super_resolution.section(results, styles),
        *([learned] if (learned := synthesizers.section(results)) else []),
        alignment.section(results, styles),
        scoreboard.section(results),
    ]
