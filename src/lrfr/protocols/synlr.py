"""SynLR: the native benchmark's twin out of down-sampled HR faces, scored as the native one is.

Cheng, Zhu & Gong, "Low-Resolution Face Recognition", ACCV 2018, Table 4: the same counts and the same partition, so
that native and synthetic low resolution can be compared like for like.
"""

from lrfr.protocols.tinyface import evaluate, renditions

__all__ = ["evaluate", "renditions"]
