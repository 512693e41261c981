"""Qualities of face images that need no training of their own: one file each, with the paper. Higher is better.

Those that a model is trained to predict are :mod:`lrfr.nn.quality_heads`: RI's recognizability, CR-FIQA's
classifiability.
"""
