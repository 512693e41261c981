"""Error rates as a user types them: ``1e-4,0.001``."""

from lrfr.errors import ParameterError


def parse_rates(text: str, option: str) -> tuple[float, ...]:
    """The rates between the commas, each once, as they stand.

    Raises:
        ParameterError: one is not a number, not above 0, or above 1.
    """
    rates = []
    for part in text.split(","):
        try:
            rate = float(part)
        except ValueError:
            rate = 0.0
        if not 0 < rate <= 1:
            remedy = "give numbers above 0 and up to 1, with commas between, such as 1e-4,1e-3"
            raise ParameterError(f"'{part.strip()}' is no error rate", where=option, remedy=remedy)
        rates.append(rate)
    return tuple(dict.fromkeys(rates))
