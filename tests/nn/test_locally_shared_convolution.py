import pytest
import torch
from torch.nn import functional as F

from lrfr.nn.networks.deepid2 import LocallySharedConv2d


@pytest.mark.parametrize(("size", "region"), [((4, 6), 2), ((5, 3), 2), ((3, 4), 1), ((7, 5), 3)])
def test_every_region_has_filters_of_its_own(size, region):
    torch.manual_seed(0)
    layer = LocallySharedConv2d(3, 4, 2, size, region)
    torch.nn.init.normal_(layer.bias)
    images = torch.randn(2, 3, size[0] + 1, size[1] + 1)
    outputs = layer(images)
    assert outputs.shape == (2, 4, *size)
    for y in range(size[0]):
        for x in range(size[1]):
            filters = layer.weight[y // region, x // region].view(4, 3, 2, 2)
            expected = (images[:, None, :, y : y + 2, x : x + 2] * filters).sum((2, 3, 4))
            expected = expected + layer.bias[y // region, x // region]
            assert torch.allclose(outputs[:, :, y, x], expected, atol=1e-5)


def test_the_same_filters_everywhere_are_a_convolution():
    torch.manual_seed(0)
    layer = LocallySharedConv2d(3, 4, 3, (6, 4), 2)
    with torch.no_grad():
        layer.weight.copy_(layer.weight[0, 0].clone())
    images = torch.randn(2, 3, 8, 6)
    assert torch.allclose(layer(images), F.conv2d(images, layer.weight[0, 0].view(4, 3, 3, 3)), atol=1e-5)
