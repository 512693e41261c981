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


class EvolveBlock(nn.Module):
    """bottleneck_IR and bottleneck_IR_SE of face.evoLVe."""

    def __init__(self, before, width, stride, gated):
        super().__init__()
        if before == width:
            self.shortcut_layer = nn.MaxPool2d(1, stride)
        else:
            self.shortcut_layer = nn.Sequential(nn.Conv2d(before, width, 1, stride, bias=False), nn.BatchNorm2d(width))
        layers = [
            nn.BatchNorm2d(before),
            nn.Conv2d(before, width, 3, 1, 1, bias=False),
            nn.PReLU(width),
            nn.Conv2d(width, width, 3, stride, 1, bias=False),
            nn.BatchNorm2d(width),
        ]
        self.res_layer = nn.Sequential(*layers, *([SEModule(width)] if gated else []))

    def forward(self, x):
        return self.res_layer(x) + self.shortcut_layer(x)


class SEModule(nn.Module):
    def __init__(self, channels):
        super().__init__()
        hidden = max(channels // 16, 1)  # the least matters to narrow networks alone
        self.fc1 = nn.Conv2d(channels, hidden, 1, bias=False)
        self.fc2 = nn.Conv2d(hidden, channels, 1, bias=False)

    def forward(self, x):
        return x * torch.sigmoid(self.fc2(F.relu(self.fc1(x.mean((2, 3), keepdim=True)))))


class Evolve(nn.Module):
    """face.evoLVe's Backbone, and CurricularFace's with ``affine=False``; ``narrow`` divides its channels."""

    def __init__(self, counts, gated=False, affine=True, narrow=1, side=112, dim=512):
        super().__init__()
        stem, *widths = (width // narrow for width in (64, *WIDTHS))
        self.input_layer = nn.Sequential(nn.Conv2d(3, stem, 3, 1, 1, bias=False), nn.BatchNorm2d(stem), nn.PReLU(stem))
        self.output_layer = nn.Sequential(
            nn.BatchNorm2d(widths[-1]),
            nn.Dropout(),
            nn.Flatten(),
            nn.Linear(widths[-1] * (side // 16) ** 2, dim),
            nn.BatchNorm1d(dim, affine=affine),
        )
        self.body = nn.Sequential(
            *(
                EvolveBlock(width if b else before, width, 1 if b else 2, gated)
                for count, before, width in zip(counts, (stem, *widths), widths, strict=False)
                for b in range(count)
            )
        )

    def forward(self, x):
        return self.output_layer(self.body(self.input_layer(x)))


class DlibBlock(nn.Module):
    """dlib's ares and ares_down: two convolutions, each with its affine layer."""

    def __init__(self, before, width, down):
        super().__init__()
        self.down = down
        self.conv1 = nn.Conv2d(before, width, 3, 2 if down else 1, 0 if down else 1)
        self.affine1 = nn.Parameter(torch.ones(2, width))
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1)
        self.affine2 = nn.Parameter(torch.ones(2, width))

    def forward(self, x):
        out = F.relu(affine(self.affine1, self.conv1(x)))
        out = affine(self.affine2, self.conv2(out))
        if self.down:
            x = F.avg_pool2d(x, 2, 2)
        total = x.new_zeros(len(x), *(max(sides) for sides in zip(x.shape[1:], out.shape[1:], strict=True)))
        for part in (x, out):  # add_prev: what one of both does not have is zero
            total[:, : part.shape[1], : part.shape[2], : part.shape[3]] += part
        return F.relu(total)


def affine(values, x):
    return x * values[0][:, None, None] + values[1][:, None, None]


class Dlib(nn.Module):
    """dlib's anet_type: takes RGB less its mean, over 256; ``narrow`` divides its channels."""

    def __init__(self, narrow=1, dim=128):
        super().__init__()
        levels = (32, 32, 32, -64, 64, 64, 64, -128, 128, 128, -256, 256, 256, -256)  # less than 0: down
        width = 32 // narrow
        self.conv = nn.Conv2d(3, width, 7, 2)
        self.affine = nn.Parameter(torch.ones(2, width))
        blocks = []
        for level in levels:
            before, width = width, abs(level) // narrow
            blocks.append(DlibBlock(before, width, level < 0))
        self.blocks = nn.ModuleList(blocks)
        self.fc = nn.Linear(width, dim, bias=False)

    def forward(self, x):
        x = F.max_pool2d(F.relu(affine(self.affine, self.conv(x))), 3, 2)
        for block in self.blocks:
            x = block(x)
        return self.fc(x.mean((2, 3)))

    def with_affines(self, seed):
        """Affine layers as after a training."""
        draw = torch.Generator().manual_seed(seed)
        for name, values in self.named_parameters():
            if "affine" in name:
                values.data[0].uniform_(0.6, 1.2, generator=draw)
                values.data[1].uniform_(-0.2, 0.2, generator=draw)
        return self.eval()
