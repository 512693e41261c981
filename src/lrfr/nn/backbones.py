"""Our networks under timm's roof: importing this module makes ``timm.create_model("lrfr_ir50")`` work.

lrfr itself builds them from :data:`lrfr.nn.networks.NETWORKS`: importing timm takes seconds.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from timm.models import build_model_with_cfg, generate_default_cfgs, register_model
from torch import nn

from lrfr.errors import ParameterError
from lrfr.nn.networks import NETWORKS
from lrfr.nn.networks.shape import Network, Shape

# timm looks for this name in the module of a registered function
default_cfgs = generate_default_cfgs(
    {
        name: {
            "input_size": (3, *network.published.size),
            "fixed_input_size": True,
            "num_classes": network.published.embedding_dim,
            "mean": (0.5, 0.5, 0.5),
            "std": (0.5, 0.5, 0.5),
            "interpolation": "bilinear",
            "crop_pct": 1.0,
            "first_conv": None,
            "classifier": None,
        }
        for name, network in NETWORKS.items()
    }
)


def _entrypoint(name: str, network: Network) -> Callable[..., nn.Module]:
    """What timm calls for a name: the published network, or its variation by timm's own keywords.

    Args of the function:
        pretrained: refused, as no weights are shipped.
        img_size: height and width of the images, px, or the side of a square.
        num_classes: the embedding's dimension D; 0, timm's word for no classifier, is the published one.
        drop_rate: probability of the dropout before the last layer, 0..1.
        width: factor on the channels, 0.05..4.

    Raises:
        ParameterError: weights or images without three channels are asked for, a width that is out of range, or
            images that are too small.
    """

    def create(pretrained: bool = False, img_size: int | tuple[int, int] | None = None, **options) -> nn.Module:
        if pretrained:
            raise ParameterError(
                f"there are no pretrained weights of {name}: lrfr ships none",
                remedy="`lrfr import-backbone FILE` takes published weights in",
            )
        size = (img_size, img_size) if isinstance(img_size, int) else img_size or network.published.size
        overlay = {**(options.pop("pretrained_cfg_overlay", None) or {}), "input_size": (3, *size)}
        return build_model_with_cfg(
            partial(_build, network), name, pretrained=False, pretrained_cfg_overlay=overlay, img_size=size, **options
        )

    create.__name__ = create.__qualname__ = name
    create.__doc__ = f"{name}, see :mod:`lrfr.nn.networks`."
    return create


def _build(
    network: Network,
    *,
    num_classes: int,
    img_size: tuple[int, int],
    in_chans: int,
    drop_rate: float | None = None,
    width: float = 1.0,
) -> nn.Module:
    if in_chans != 3:
        raise ParameterError(f"networks of lrfr see three channels, not {in_chans}")
    if not 0.05 <= width <= 4:
        raise ParameterError(f"a width of {width} is out of range", remedy="give one from 0.05 to 4")
    published = network.published
    dropout = published.dropout if drop_rate is None else drop_rate
    dimension = num_classes or published.embedding_dim
    model: Any = network.build(Shape(img_size, dimension, dropout, width))
    model.num_classes = model.num_features = dimension  # where timm's models have it
    return model


for _name, _network in NETWORKS.items():
    # Under its name in this module too, as timm's models are: timm lists it in __all__
    globals()[_name] = register_model(_entrypoint(_name, _network))
