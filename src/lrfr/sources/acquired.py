"""What every source hands over: photos to find faces in, faces that are already cut, and what a protocol says of them."""

from dataclasses import dataclass, field

import pyarrow as pa

from lrfr.faces import (
    ENROLMENT_SCHEMA,
    FACE_SCHEMA,
    PAIR_SCHEMA,
    PHOTO_SCHEMA,
    SET_ASIDE_SCHEMA,
    TAG_SCHEMA,
    TRUTH_SCHEMA,
)


@dataclass(frozen=True)
class Acquired:
    """The tables of one source, in the schemas of :mod:`lrfr.faces`; what a source does not have stays empty.

    Attributes:
        photos: pictures in which faces are still to be detected.
        tags: who is where in the photos, as far as somebody said.
        truth: who is where for certain; only a renderer knows.
        faces: crops that the source brings already cut; a published partition stands in ``split``.
        pairs: a published list of verification pairs, of faces or of templates.
        enrolment: the galleries and probes of a published identification protocol over templates.
        set_aside: what could not be used, with the reason.
    """

    photos: pa.Table = field(default_factory=PHOTO_SCHEMA.empty_table)
    tags: pa.Table = field(default_factory=TAG_SCHEMA.empty_table)
    truth: pa.Table = field(default_factory=TRUTH_SCHEMA.empty_table)
    faces: pa.Table = field(default_factory=FACE_SCHEMA.empty_table)
    pairs: pa.Table = field(default_factory=PAIR_SCHEMA.empty_table)
    enrolment: pa.Table = field(default_factory=ENROLMENT_SCHEMA.empty_table)
    set_aside: pa.Table = field(default_factory=SET_ASIDE_SCHEMA.empty_table)
