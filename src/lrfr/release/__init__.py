"""Releases: what they hold, what signs them, and who may trust them.

Nothing here imports torch when it is loaded but :mod:`lrfr.release.sample` and :mod:`lrfr.release.trial`.
"""
