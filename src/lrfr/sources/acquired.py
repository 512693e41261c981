"""What every source hands over: photos, the tags of the people that somebody named, and the truth where it is known."""

from dataclasses import dataclass, field

import pyarrow as pa

from lrfr.faces import TRUTH_SCHEMA


@dataclass(frozen=True)
class Acquired:
    """The tables of one source, in the schemas of :mod:`lrfr.faces`."""

    photos: pa.Table
    tags: pa.Table
    truth: pa.Table = field(default_factory=TRUTH_SCHEMA.empty_table)
