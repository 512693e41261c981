"""What each protocol asks of the test faces beside the faces as they are.

*Views* are resampled versions of an image that are embedded beside it (:func:`lrfr.core.resampling.view`). *Conditions*
are other presentations of the same faces under which the protocol is run once more, each a face table of its own:
``super_resolved_<network>``. They stand apart from the protocols, so that no face is embedded again when a protocol's
figures change.
"""

from lrfr.protocols.options import Evaluate

VERIFIED_WIDTH = 25  # px, of the verification in P1 and P2
SUPER_RESOLVED = ("tinyface", "survface")  # the protocols of T-C's Tables 10 and 12


def views(protocol: str, options: Evaluate) -> tuple[str, ...]:
    """The views that a protocol needs: ``mirror``, ``side_8`` and so on, ``width_20`` and so on."""
    if protocol == "folds":
        return ("mirror",)
    if protocol == "ijb":
        return tuple(f"side_{side}" for side in sorted(set(options.sides)))
    if protocol == "rifr":
        return tuple(f"width_{width}" for width in sorted({*options.widths, VERIFIED_WIDTH}))
    return ()


def conditions(protocol: str, options: Evaluate) -> tuple[str, ...]:
    """The conditions that a protocol is run under beside the faces as they are."""
    if protocol not in SUPER_RESOLVED:
        return ()
    return tuple(f"super_resolved_{network}" for network in options.super_resolution)
