"""Putting a release to work: who is on a picture, by ONNX Runtime alone.

Nothing here needs torch, DVC, Prefect or a project: ``pip install 'lrfr[serve]'`` is enough.
"""

from lrfr.galleries.gallery import Gallery as Gallery
from lrfr.serve.model import Model as Model
