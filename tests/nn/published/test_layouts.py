"""Every tensor of every depth has the publisher's name and shape."""

import pytest
import torch

from lrfr.nn.networks import NETWORKS
from lrfr.nn.published.conversion import PUBLICATIONS
from tests.nn.published.publishers import AdaFace, ArcFaceTorch, Evolve, SeNet50

CASES = [
    ("arcface_torch", "lrfr_ir18", lambda: ArcFaceTorch(18)),
    ("arcface_torch", "lrfr_ir34", lambda: ArcFaceTorch(34)),
    ("arcface_torch", "lrfr_ir50", lambda: ArcFaceTorch(50)),
    ("arcface_torch", "lrfr_ir100", lambda: ArcFaceTorch(100)),
    ("arcface_torch", "lrfr_ir200", lambda: ArcFaceTorch(200)),
    ("adaface", "lrfr_ir18_adaface", lambda: AdaFace(18)),
    ("adaface", "lrfr_ir50_adaface", lambda: AdaFace(50)),
    ("adaface", "lrfr_ir101_adaface", lambda: AdaFace(100)),
    ("magface", "lrfr_ir100", lambda: ArcFaceTorch(100)),
    ("face_evolve", "lrfr_ir50_evolve", lambda: Evolve((3, 4, 14, 3))),
    ("face_evolve", "lrfr_ir101_evolve", lambda: Evolve((3, 13, 30, 3))),
    ("face_evolve", "lrfr_ir152_evolve", lambda: Evolve((3, 8, 36, 3))),
    ("insightface_pytorch", "lrfr_irse50_evolve", lambda: Evolve((3, 4, 14, 3), gated=True)),
    ("curricularface", "lrfr_ir101_curricularface", lambda: Evolve((3, 13, 30, 3), affine=False)),
    ("massoli", "lrfr_seresnet50", SeNet50),
]


@pytest.mark.parametrize(("format", "backbone", "build"), CASES, ids=[f"{case[0]}-{case[1]}" for case in CASES])
def test_names_and_shapes_are_the_publishers(format, backbone, build):
    with torch.device("meta"):
        theirs, ours = build().state_dict(), NETWORKS[backbone].build(NETWORKS[backbone].published).state_dict()
    publication = PUBLICATIONS[format]
    layout = publication.layouts[0]
    assert layout.backbone(theirs) == backbone
    renamed = {layout.name(name, backbone): value.shape for name, value in ours.items()}
    assert len(renamed) == len(ours), "two tensors of ours have one name there"
    assert renamed == {name: v.shape for name, v in theirs.items() if not publication.beside.fullmatch(name)}
