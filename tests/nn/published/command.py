"""``lrfr import-backbone``, as a user gives it."""

from typer.testing import CliRunner

from lrfr import cli


def run(*arguments):
    return CliRunner().invoke(cli.app, ["import-backbone", *map(str, arguments)])


def refused(*arguments):
    result = run(*arguments)
    assert result.exit_code == 1 and "Traceback" not in result.output, result.output
    return result.output
