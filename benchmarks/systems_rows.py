"""The systems of the table, as data: which model, what is asked of it, and the level that it must reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """One row."""

    name: str
    model: str
    metric: str
    """As `zoo eval` calls it; several with commas."""
    ask: tuple[str, ...]
    """What `zoo predict` is given; a name that ends in .png is one of docs/pictures."""
    level: str = ""
    """What the default training must reach."""
    part_of: str = ""
    """The system whose training trained this one, too."""
    training: tuple[str, ...] = ()
    """Further options of `zoo train`."""

    def inputs(self, pictures: Path) -> list[str | Path]:
        """The same with the pictures' paths."""
        return [pictures / one if one.endswith(".png") else one for one in self.ask]


DIGIT: Final = ("seven.png",)
SCENE: Final = ("scene.png",)
SEED: Final = ("7",)
NAME: Final = ("Frankreich",)


def _classifier(model: str, level: str = "") -> System:
    return System(name=model, model=model, metric="top1", ask=DIGIT, level=level)


def _reader(model: str, level: str) -> System:
    return System(name=model, model=model, metric="accuracy", ask=NAME, level=level)


def _writer(model: str) -> System:
    return System(name=model, model=model, metric="bits_per_character", ask=("Fran",), level="below the 4-gram's 2.768")


_ROWS: Final = (
    _classifier("cnn", "≥ 0.976"),
    _classifier("convnet"),
    _classifier("alexnet", "≥ 0.93"),
    _classifier("vgg11_bn_small", "≥ 0.95"),
    _classifier("resnet18", "≥ 0.976"),
    _classifier("inception_v3", "≥ 0.90"),
    _classifier("googlenet", "≥ 0.95"),
    System(name="yolo_nano", model="yolo_nano", metric="map50, map", ask=SCENE, level="≥ 0.93, ≥ 0.50"),
    System(name="ssd_tiny", model="ssd_tiny", metric="map50, map", ask=SCENE, level="≥ 0.88"),
    System(name="fcn_tiny", model="fcn_tiny", metric="miou", ask=SCENE, level="≥ 0.75"),
    System(name="unet_tiny", model="unet_tiny", metric="miou", ask=SCENE, level="≥ 0.85"),
    System(name="autoencoder", model="autoencoder", metric="psnr", ask=DIGIT),
    System(name="conv_autoencoder", model="conv_autoencoder", metric="psnr", ask=DIGIT),
    System(name="vae", model="vae", metric="nats", ask=DIGIT, level="≤ 115"),
    System(name="vae_decoder", model="vae_decoder", metric="frechet_random", ask=SEED, part_of="vae"),
    System(name="dcgan", model="dcgan", metric="frechet_random", ask=SEED, level="falls 5 x from the first epoch"),
    _reader("rnn", "≥ 0.65"),
    _reader("gru", "≥ 0.65"),
    _reader("lstm", "≥ 0.65"),
    _reader("transformer", "≥ 0.68"),
    _writer("rnn_lm"),
    _writer("gru_lm"),
    _writer("lstm_lm"),
    _writer("transformer_lm"),
    _reader("bert_tiny", "≥ 0.70"),
    System(
        name="sentence_bert_tiny", model="sentence_bert_tiny", metric="retrieval_accuracy", ask=("Frankreich", "France")
    ),
    System(name="wavenet_tiny", model="wavenet_tiny", metric="bits_per_sample", ask=("pure",), level="≤ 3.2"),
    System(name="facenet_tiny", model="facenet_tiny", metric="roc_auc", ask=(*DIGIT, *SCENE), level="≥ 0.84"),
)
SYSTEMS: Final[Mapping[str, System]] = {row.name: row for row in _ROWS}
