"""How the report writes figures."""


def percent(share: float) -> str:
    """A share as percent, without the sign."""
    return f"{100 * share:.1f}"


def hundredths(share: float) -> str:
    """A share as percent, to two decimals."""
    return f"{100 * share:.2f}"


def signed_points(difference: float) -> str:
    """A difference of shares in percentage points, with its sign."""
    return f"{100 * difference:+.1f}".replace("-", "\u2212")


def p_value(probability: float) -> str:
    """The p-value of a test."""
    return "< 0.001" if probability < 0.001 else f"{probability:.3f}"


def interval(low: str, high: str) -> str:
    """Two ends, as they are written; signed ones with a word between, which no minus can be taken for."""
    return f"{low} to {high}" if low[0] in "+\u2212" else f"{low}–{high}"
