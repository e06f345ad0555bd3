"""How to train one model on one kind of data: named numbers, declared beside the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Augment:
    """Random changes to a training batch, drawn from the run's seed and the step number; all off by default.

    Examples:
        >>> zoo.Augment(shift=0.1, flip=True).rotate
        0.0
    """

    shift: float = 0.0
    """Largest shift, as a share of the image side, in each direction."""
    scale: float = 0.0
    """Largest relative change of size: 0.2 zooms between 1/1.2 and 1.2."""
    rotate: float = 0.0
    """Largest rotation, in degrees."""
    flip: bool = False
    """Mirror left and right with probability one half."""
    color: float = 0.0
    """Largest relative change of brightness and contrast."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Every number of a training; `zoo info` shows it, `--set recipe.KEY=VALUE` changes it, config.json keeps it.

    Examples:
        >>> zoo.Recipe(epochs=3, lr=2e-3, schedule="onecycle").optimizer
        'adamw'
    """

    epochs: int = 10
    """Passes over the training items."""
    batch_size: int = 64
    """Samples per optimiser step over all processes, before `accumulate`."""
    accumulate: int = 1
    """Batches whose gradients are summed before each step."""
    optimizer: Literal["adamw", "adam", "sgd"] = "adamw"
    """Optimisers of torch.optim (adamw: Loshchilov and Hutter, arXiv:1711.05101); sgd uses Nesterov momentum."""
    lr: float = 1e-3
    """The highest learning rate of the schedule."""
    backbone_lr: float = 1.0
    """Factor of `lr` for all parameters but the head, when fine-tuning."""
    layer_decay: float = 1.0
    """Factor of the rate from each layer to the one before it; below 1, layers near the input learn slower."""
    weight_decay: float = 0.05
    """Applied to parameters of two or more dimensions only."""
    momentum: float = 0.9
    """Of sgd."""
    betas: tuple[float, float] = (0.9, 0.999)
    """Of adam and adamw."""
    schedule: Literal["onecycle", "cosine", "constant"] = "cosine"
    """The learning rate after the warm-up: onecycle and cosine fall to zero along a cosine, constant stays."""
    warmup: float = 0.05
    """Share of all steps in which the learning rate rises."""
    clip: float | None = None
    """Largest norm of all gradients together; None does not clip."""
    label_smoothing: float = 0.0
    """Share of the target probability that is spread over all classes (Szegedy et al., arXiv:1512.00567)."""
    ema: float = 0.0
    """Decay of the moving average of the weights that is evaluated and saved; 0 keeps none."""
    augment: Augment = field(default_factory=Augment)
    """Random changes of the training batches."""
    augment_policy: Literal["none", "randaugment", "trivialaugment", "autoaugment", "augmix"] = "none"
    """A published list of changes, drawn for each picture before `augment`; as torchvision.transforms.v2 has it."""
    mixup: float = 0.0
    """Pictures and labels mixed in pairs (Zhang et al., arXiv:1710.09412): the alpha of the beta distribution; 0 does
    not."""
    cutmix: float = 0.0
    """A rectangle of another picture put in (Yun et al., arXiv:1905.04899): alpha; with mixup, each batch gets one of
    the two."""
    sampling: Literal["shuffled", "balanced"] = "shuffled"
    """balanced draws every class equally often, with repeats; shuffled shows every item once in an epoch."""
    class_weights: Literal["none", "balanced"] = "none"
    """balanced weighs the loss of an item by one over how frequent its class is."""
    distill_weight: float = 0.5
    """Share of the loss that is the distance to the teacher's answer; the rest is that to the label."""
    distill_temperature: float = 2.0
    """What both answers are divided by before they are compared (Hinton et al., arXiv:1503.02531)."""
    input_size: tuple[int, int] | None = None
    """Height and width to train at; None takes the model's own."""
    precision: Literal["auto", "32", "bf16", "16"] = "auto"
    """auto takes bf16 or 16 on GPUs, bf16 for large networks on CPUs that have it, and else 32."""
    channels_last: bool = True
    """Keeps images in channels-last memory format, in which convolutions are fastest."""
    reduced_decoding: bool = False
    """Decodes JPEG files at a half, a quarter or an eighth of their size for training, where that is no smaller than
    the input: faster for large photographs, and no longer within one grey level of what the model is measured on."""
    compile: bool = False
    """Lets PyTorch compile the modules at their first step: for long trainings."""
    fake_quantize: bool = False
    """Rounds what convolutions and matrix products read to 8 bits while the model learns, so that an int8 variant loses
    less: for a few epochs of fine-tuning (Jacob et al., arXiv:1712.05877)."""
    patience: int | None = None
    """Epochs without a better validation score before stopping early; None never stops early."""
    batchnorm_momentum: float | None = None
    """Least share of a new batch in the running statistics of batch normalisation; None keeps the model's own."""
    items: int | None = None
    """About how many training items these numbers are meant for: with other data `zoo train` adapts the epochs, the
    batch size, the input size and the augmentation, and says so.  None keeps the numbers whatever the data."""
    options: Mapping[str, float | int | str | bool] = field(default_factory=dict)
    """The trainer's own numbers; their names and defaults are declared in its `TrainerSpec.options`."""
