"""Writes a network as dlib's own serialisation does (dlib/serialize.h, dnn/core.h, dnn/layers.h)."""

import math

import numpy as np

EMPTY = (0, 0, 0, 0)


def integer(value):
    size = max(1, (abs(value).bit_length() + 7) // 8)
    return bytes([size | (0x80 if value < 0 else 0)]) + abs(value).to_bytes(size, "little")


def number(value):
    mantissa, exponent = math.frexp(value)
    return integer(int(mantissa * 2**24)) + integer(exponent - 24)


def text(value):
    return integer(len(value)) + value.encode()


def sides(shape):
    return b"".join(integer(side) for side in shape)


def tensor(values, shape):
    return integer(2) + sides(shape) + np.asarray(values.detach().numpy(), "<f4").tobytes()


def alias(*shape):
    return integer(1) + sides(shape)


def state(innermost=False):
    """Three flags and three empty tensors."""
    return b"110" + 3 * (integer(2) + sides(EMPTY)) + (integer(1) if innermost else b"")


def rates():
    return number(1.0) * 3 + number(0.0)


def convolution(layer):
    out, before, side, _ = layer.weight.shape
    (stride, _), (padding, _) = layer.stride, layer.padding
    values = np.concatenate([layer.weight.detach().numpy().ravel(), layer.bias.detach().numpy()])
    return (
        text("con_4") + integer(2) + sides((len(values), 1, 1, 1)) + values.astype("<f4").tobytes()
        + sides((out, side, side, stride, stride, padding, padding))
        + alias(out, before, side, side) + alias(1, out, 1, 1) + rates()
    )  # fmt: skip


def affine(values):
    channels = values.shape[1]
    return (
        text("affine_") + tensor(values, (2 * channels, 1, 1, 1)) + alias(1, channels, 1, 1) * 2 + integer(0)
    )  # fmt: skip


def dlib_bytes(network, loss="loss_metric_2", side=150, mean=(122.782, 117.001, 104.298)):
    """The file of a network of ``publishers.Dlib``."""
    layers = [
        convolution(network.conv),
        affine(network.affine),
        text("relu_"),
        text("max_pool_2") + sides((3, 3, 2, 2, 0, 0)),
    ]
    for block in network.blocks:
        layers += [convolution(block.conv1), affine(block.affine1), text("relu_")]
        layers += [convolution(block.conv2), affine(block.affine2)]
        if block.down:
            layers.append(text("avg_pool_2") + sides((2, 2, 2, 2, 0, 0)))
        layers += [text("add_prev_"), text("relu_")]
    layers.append(text("avg_pool_2") + sides((0, 0, 1, 1, 0, 0)))
    out, before = network.fc.weight.shape
    weight = tensor(network.fc.weight.T.contiguous(), (before, out, 1, 1))
    layers.append(
        text("fc_2") + sides((out, before)) + weight + alias(before, out, 1, 1) + alias(*EMPTY) + integer(1) + rates()
    )
    # Versions from the outermost layer in: a tag, and a skip where a unit strides, beside the layers themselves
    versions = [2, 2]
    for block in reversed(network.blocks):
        versions += [2, 2, 2, 1, 1, 2, 2, 2, 2, 2, 1] if block.down else [2, 2, 2, 2, 2, 2, 2, 1]
    versions += [2, 2, 2, 3]
    return (
        integer(1) + text(loss) + number(0.04) + number(0.6) + b"".join(integer(version) for version in versions)
        + text("input_rgb_image_sized") + b"".join(number(value) for value in mean) + sides((side, side))
        + b"".join(layer + state(innermost=not place) for place, layer in enumerate(layers))
    )  # fmt: skip
