"""acquire: a source becomes photos, the tags of the people in them, and the truth where it is known."""

from pathlib import Path

from lrfr import paths
from lrfr.config import read_params, settings
from lrfr.faces import PHOTO_SCHEMA, TAG_SCHEMA, TRUTH_SCHEMA, write_table
from lrfr.sources import source


def run() -> None:
    """Reads the source that params.yaml names and writes its photos, tags and truth.

    Raises:
        ParameterError: an unknown source, or a setting that the source does not know.
        SourceError: the source is not there or not in its layout.
    """
    params = read_params()
    module = source(params.acquire.source)
    options = settings(params.acquire.settings, module.Settings, "params.yaml: acquire.settings")
    acquired = module.acquire(Path(params.acquire.root), options, params.seed)
    write_table(acquired.photos, paths.PHOTOS, PHOTO_SCHEMA)
    write_table(acquired.tags, paths.TAGS, TAG_SCHEMA)
    write_table(acquired.truth, paths.TRUTH, TRUTH_SCHEMA)
    people = len(acquired.tags["identity"].unique())
    print(f"{params.acquire.source}: {acquired.photos.num_rows} photos of {people} named people")
