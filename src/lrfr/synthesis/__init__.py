"""Synthesisers, HR -> LR: one module each, named as its key in params.yaml's ``synthesizers``.

A synthesiser has a ``Settings`` section and ``synthesize(image, height_px, settings, rng) -> image``.
"""
