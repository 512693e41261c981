"""What the variants of one paper have in common: its losses, as functions of tensors, and the one task that they
compose by its arguments. One file per family; a variant is a file of ``lrfr.methods``."""
