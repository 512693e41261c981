"""``lrfr embed --model``: what anybody wants embedded, what of it is done, and the file that it ends in.

The embedding itself is done by :mod:`lrfr.nn.embedding`; nothing here needs torch, parameters or a project.
"""
