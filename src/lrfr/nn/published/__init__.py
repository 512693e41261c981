"""Backbones that others published, as embedders of ours: whose file it is, and what its tensors are called."""
