"""Published networks rebuilt from their descriptions, under their publishers' names: what imports are held against."""

import torch
from torch import nn
from torch.nn import functional as F

DEPTHS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 14, 3), 100: (3, 13, 30, 3), 200: (6, 26, 60, 6)}
WIDTHS = (64, 128, 256, 512)


class ArcFaceTorchBlock(nn.Module):
    def __init__(self, before, width, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(before)
        self.conv1 = nn.Conv2d(before, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.prelu = nn.PReLU(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(width)
        self.downsample = None
        if stride == 2:
            self.downsample = nn.Sequential(nn.Conv2d(before, width, 1, stride, bias=False), nn.BatchNorm2d(width))

    def forward(self, x):
        out = self.bn3(self.conv2(self.prelu(self.bn2(self.conv1(self.bn1(x))))))
        return out + (x if self.downsample is None else self.downsample(x))


class ArcFaceTorch(nn.Module):
    """insightface's iresnet: takes RGB, -1..1."""

    def __init__(self, depth):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.prelu = nn.PReLU(64)
        before = 64
        for stage, (count, width) in enumerate(zip(DEPTHS[depth], WIDTHS, strict=True), 1):
            blocks = [ArcFaceTorchBlock(before if not b else width, width, 1 if b else 2) for b in range(count)]
            setattr(self, f"layer{stage}", nn.Sequential(*blocks))
            before = width
        self.bn2 = nn.BatchNorm2d(512)
        self.fc = nn.Linear(512 * 7 * 7, 512)
        self.features = nn.BatchNorm1d(512)

    def forward(self, x):
        x = self.prelu(self.bn1(self.conv1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.features(self.fc(torch.flatten(self.bn2(x), 1)))


class AdaFaceBlock(nn.Module):
    def __init__(self, before, width, stride):
        super().__init__()
        if before == width:
            self.shortcut_layer = nn.MaxPool2d(1, stride)
        else:
            self.shortcut_layer = nn.Sequential(nn.Conv2d(before, width, 1, stride, bias=False), nn.BatchNorm2d(width))
        self.res_layer = nn.Sequential(
            nn.BatchNorm2d(before),
            nn.Conv2d(before, width, 3, 1, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.PReLU(width),
            nn.Conv2d(width, width, 3, stride, 1, bias=False),
            nn.BatchNorm2d(width),
        )

    def forward(self, x):
        return self.res_layer(x) + self.shortcut_layer(x)


class AdaFace(nn.Module):
    """AdaFace's Backbone: takes BGR, -1..1."""

    def __init__(self, depth):
        super().__init__()
        self.input_layer = nn.Sequential(nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.PReLU(64))
        pairs = zip(DEPTHS[depth], (64, *WIDTHS), WIDTHS, strict=False)
        self.body = nn.Sequential(
            *(
                AdaFaceBlock(width if b else before, width, 1 if b else 2)
                for count, before, width in pairs
                for b in range(count)
            )
        )
        self.output_layer = nn.Sequential(
            nn.BatchNorm2d(512),
            nn.Dropout(0.4),
            nn.Flatten(),
            nn.Linear(512 * 7 * 7, 512),
            nn.BatchNorm1d(512, affine=False),
        )

    def forward(self, x):
        return self.output_layer(self.body(self.input_layer(x)))


class SeNet50(nn.Module):
    """VGGFace2's senet50_ft as MMdnn writes it: one module beside the other, named after Caffe's layers."""

    def __init__(self, classes=5):
        super().__init__()
        self._add("conv1_7x7_s2", 3, 64, 7, 2)
        before = 64
        for stage, (count, width) in enumerate(zip((3, 4, 6, 3), WIDTHS, strict=True), 2):
            for block in range(1, count + 1):
                stride = 2 if stage > 2 and block == 1 else 1
                name = f"conv{stage}_{block}"
                self._add(f"{name}_1x1_reduce", before, width, 1, stride)
                self._add(f"{name}_3x3", width, width, 3, 1)
                self._add(f"{name}_1x1_increase", width, 4 * width, 1, 1)
                if block == 1:
                    self._add(f"{name}_1x1_proj", before, 4 * width, 1, stride)
                setattr(self, f"{name}_1x1_down", nn.Conv2d(4 * width, width // 4, 1))
                setattr(self, f"{name}_1x1_up", nn.Conv2d(width // 4, 4 * width, 1))
                before = 4 * width
        self.classifier_1 = nn.Linear(2048, classes)

    def _add(self, name, before, width, kernel, stride):
        setattr(self, name, nn.Conv2d(before, width, kernel, stride, bias=False))
        setattr(self, f"{name}_bn", nn.BatchNorm2d(width))

    def _conv(self, name, x, padding=0):
        return getattr(self, f"{name}_bn")(getattr(self, name)(F.pad(x, (padding,) * 4)))

    def forward(self, x):
        x = F.relu(self._conv("conv1_7x7_s2", x, 3))
        x = F.max_pool2d(F.pad(x, (0, 1, 0, 1), value=float("-inf")), 3, 2)
        for stage, count in enumerate((3, 4, 6, 3), 2):
            for block in range(1, count + 1):
                name = f"conv{stage}_{block}"
                out = F.relu(self._conv(f"{name}_1x1_reduce", x))
                out = self._conv(f"{name}_1x1_increase", F.relu(self._conv(f"{name}_3x3", out, 1)))
                pooled = F.relu(getattr(self, f"{name}_1x1_down")(out.mean((2, 3), keepdim=True)))
                gate = torch.sigmoid(getattr(self, f"{name}_1x1_up")(pooled))
                x = F.relu(gate * out + (self._conv(f"{name}_1x1_proj", x) if block == 1 else x))
        return x.mean((2, 3))


def with_statistics(network, seed):
    """The network in evaluation mode, as after a training: no parameter of its BN layers is 0 or 1."""
    draw = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            for name, low, high in (
                ("running_mean", -0.2, 0.2),
                ("running_var", 0.7, 1.4),
                ("weight", 0.6, 1.2),
                ("bias", -0.2, 0.2),
            ):
                value = getattr(module, name)
                if value is not None:
                    value.data.uniform_(low, high, generator=draw)
            module.num_batches_tracked.fill_(1000)
    return network.eval()
