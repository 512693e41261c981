"""The report as one HTML page."""

import jinja2

from lrfr.report import alignment, dataset, figures, rejection, sheets, super_resolution, tables
from lrfr.report.paired import paired_table
from lrfr.report.published import TINYFACE_RESULTS
from lrfr.report.results import HEADLINES, Results
from lrfr.report.sections import section
from lrfr.report.training import training_figures


def render(results: Results) -> str:
    """Lays the results out: one page that needs no other file, script or network.

    Raises:
        ResultError: the benchmark has no probe with a mate, or methods were evaluated on different probes.
        FaceTableError, ImageError: a face table that the sheets show cannot be read.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("lrfr"), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    styles = figures.styles(list(results.metrics))
    mates, galleries = tables.mates_per_probe(results.benchmark), tables.gallery_sizes(results.benchmark)
    return environment.get_template("report.html.j2").render(
        results=results,
        params=results.params,
        verdict=tables.verdict(results, mates, galleries),
        facts=tables.facts(results),
        headlines=list(HEADLINES.values()),
        leaderboard=tables.leaderboard(results, mates, galleries),
        galleries=galleries,
        published=TINYFACE_RESULTS,
        rank1=figures.rank1_panels(results, mates, galleries),
        styles=styles,
        paired=paired_table(results, styles),
        sections=[
            rejection.section(results, styles),
            super_resolution.section(results, styles),
            alignment.section(results, styles),
            *(section(name, results, styles) for name in results.sets),
        ],
        cmc=figures.cmc_panels(results, mates, galleries),
        pr=figures.pr_panels(results),
        training=training_figures(results, styles),
        by_size=sheets.by_size(),
        by_identity=sheets.by_identity(),
        distractors=sheets.distractors(),
        synthetic=sheets.synthetic(list(results.params.synthesizers)),
        benchmarks=dataset.benchmark_rows(results.benchmark),
        partition=dataset.partition_rows(results.benchmark),
        heights=dataset.height_figure(results.benchmark["height"].to_numpy()),
        mean_size=[float(results.benchmark[side].to_numpy().mean()) for side in ("height", "width")],
        excluded=tables.shares(results.curation["excluded"]),
        quality=tables.quality_line([results.validation]),
        synthetic_quality=tables.quality_line(results.inspection),
        drift=tables.drift_lines(results),
    )
