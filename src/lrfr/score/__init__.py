"""``lrfr score``: the protocols for anybody's embeddings. One file per subcommand.

A subcommand's ``score`` reads files, calls the function of :mod:`lrfr.core` that has the subcommand's name and hands
back an ``Outcome``; ``output`` prints and stores it. Needs no parameters, no pipeline and none of its packages.
"""
