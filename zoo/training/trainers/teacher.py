"""A trained classifier that another one learns from.  [torch]"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zoo.api.errors import UsageError
from zoo.api.problem import ImageInput, Problem
from zoo.models.build import silent
from zoo.models.load import Trained, load_trained
from zoo.models.target import find_target
from zoo.training.trainers.classification import as_tuple

if TYPE_CHECKING:
    from zoo.registry.catalog import Catalog

LUMA = (0.299, 0.587, 0.114)


class Teacher:
    """What a model takes, to the teacher's logits float32 [n, classes] in the order of the model's classes."""

    def __init__(self, trained: Trained, problem: Problem, device: torch.device) -> None:
        self._model = trained.model.to(device).requires_grad_(False).eval()
        own = trained.problem.classes
        self._columns = torch.tensor([own.index(name) for name in problem.classes], device=device)
        self._prepare: nn.Module | None = None
        if isinstance(problem.input, ImageInput):
            self._prepare = _Prepare(problem.image, trained.problem.image).to(device)

    @torch.no_grad()
    def __call__(self, *inputs: Tensor) -> Tensor:
        """The logits."""
        given = inputs if self._prepare is None else (self._prepare(inputs[0]),)
        return as_tuple(self._model(*given))[0].float()[:, self._columns]


class _Prepare(nn.Module):
    """Pictures normalised for one model, as another one takes them: its size, its channels, its normalisation.

    It is linear but for the resize, so mixed pictures stay mixed.
    """

    def __init__(self, source: ImageInput, target: ImageInput) -> None:
        super().__init__()
        self._size, self._channels = target.size, target.channels
        for name, image in {"source": source, "target": target}.items():
            for kind in ("mean", "std"):
                values = torch.tensor(getattr(image, kind)).view(1, -1, 1, 1)
                self.register_buffer(f"{name}_{kind}", values)
        self.register_buffer("luma", torch.tensor(LUMA).view(1, 3, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        levels = images.float() * self.source_std + self.source_mean
        if levels.shape[1] == 3 and self._channels == 1:
            levels = (levels * self.luma).sum(1, keepdim=True)
        if levels.shape[-2:] != self._size:
            levels = F.interpolate(levels, self._size, mode="bilinear", antialias=True)
        return (levels - self.target_mean) / self.target_std  # one channel is repeated where the teacher takes three

    source_mean: Tensor
    source_std: Tensor
    target_mean: Tensor
    target_std: Tensor
    luma: Tensor


def load_teacher(
    name: str, catalog: Catalog, problem: Problem, *, device: torch.device, sha256: str = ""
) -> tuple[Teacher, str]:
    """The teacher and the sha256 of its parameters; UsageError where it cannot teach this, or is another one."""
    trained = load_trained(find_target(name, catalog), catalog, progress=silent)
    _check(name, trained, problem)
    if sha256 not in ("", trained.lineage.sha256):
        raise UsageError(
            f"the teacher {name} has other parameters than when this training began",
            hint="put the former ones back, or begin a new training",
        )
    return Teacher(trained, problem, device), trained.lineage.sha256


def _check(name: str, trained: Trained, problem: Problem) -> None:
    missing = [item for item in problem.classes if item not in trained.problem.classes]
    if missing:
        few = ", ".join(missing[:3]) + (", …" if len(missing) > 3 else "")
        raise UsageError(
            f"the teacher {name} does not know {len(missing)} of the {len(problem.classes)} classes: {few}",
            hint=f"train it on these data first: zoo train {trained.entry.bare_name} --pretrained --data ...",
        )
    if not isinstance(problem.input, ImageInput) and trained.problem.vocabulary != problem.vocabulary:
        raise UsageError(
            f"the teacher {name} reads another vocabulary than this model", hint="train it on the same data first"
        )
