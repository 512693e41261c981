"""Retraining by itself: what arrived, whether it may be learnt from, and whether a new model takes the old one's place.

Nothing here knows who runs it or when; ``flows`` does.
"""
