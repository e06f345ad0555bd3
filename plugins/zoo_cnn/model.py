"""Two small convolutional classifiers that accept any image size and number of channels.

`cnn`: two stages of 3x3 convolution, ReLU and pooling, then a hidden layer; the network every course begins with.
`convnet`: LeNet-5's layout (LeCun, Bottou, Bengio, Haffner: Gradient-based learning applied to document
recognition, 1998) with ReLU and max pooling in place of the sigmoids and trained subsampling of that time.
"""

from __future__ import annotations

from torch import Tensor, nn


class SmallConvNet(nn.Module):
    """Stages of convolution, ReLU and 2x2 max pooling, then fully connected layers and a head.

    Convolutions keep the size and pooling rounds up, so that no image is too small.
    """

    def __init__(
        self,
        *,
        channels: int,
        image_size: tuple[int, int],
        num_classes: int,
        maps: tuple[int, ...],
        kernel: int,
        hidden: tuple[int, ...],
        dropout: float,
    ) -> None:
        super().__init__()
        stages: list[nn.Module] = []
        for inside, outside in zip((channels, *maps), maps, strict=False):
            stages += [
                nn.Conv2d(inside, outside, kernel, padding=kernel // 2),
                nn.ReLU(inplace=True),
                nn.MaxPool2d(2, ceil_mode=True),
            ]
        self.features = nn.Sequential(*stages)
        height, width = (_halved(side, times=len(maps)) for side in image_size)
        layers: list[nn.Module] = [nn.Flatten()]
        for inside, outside in zip((maps[-1] * height * width, *hidden), hidden, strict=False):
            layers += [nn.Linear(inside, outside), nn.ReLU(inplace=True)]
        self.neck = nn.Sequential(*layers, nn.Dropout(dropout))
        self.head = nn.Linear(hidden[-1], num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Class scores.  images: float32 [batch, channels, height, width] -> float32 [batch, num_classes]."""
        logits: Tensor = self.head(self.neck(self.features(images)))
        return logits


def _halved(side: int, *, times: int) -> int:
    for _ in range(times):
        side = (side + 1) // 2
    return side


def cnn(*, channels: int, image_size: tuple[int, int], num_classes: int) -> SmallConvNet:
    """Stages of 32 and 64 maps of 3x3, a hidden layer of 128."""
    return SmallConvNet(
        channels=channels,
        image_size=image_size,
        num_classes=num_classes,
        maps=(32, 64),
        kernel=3,
        hidden=(128,),
        dropout=0.25,
    )


def convnet(*, channels: int, image_size: tuple[int, int], num_classes: int) -> SmallConvNet:
    """LeNet-5: stages of 6 and 16 maps of 5x5, hidden layers of 120 and 84."""
    return SmallConvNet(
        channels=channels,
        image_size=image_size,
        num_classes=num_classes,
        maps=(6, 16),
        kernel=5,
        hidden=(120, 84),
        dropout=0.0,
    )
