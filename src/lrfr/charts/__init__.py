"""Charts as SVG: no script, the same bytes every time, colours from a style sheet.

SVG rather than a plotting library: a page of curves stays below a megabyte, follows the reader's light or dark scheme,
and reads its values out on hover or tap through CSS alone.
"""
