"""What `--weights` means: a tag, a run, or a .safetensors file; looked up, not yet read; torch-free."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zoo.catalog import Catalog
from zoo.checkpoints import Checkpoint, file_sha256
from zoo.errors import BadFile, UsageError
from zoo.names import Offer
from zoo.problem import Input
from zoo.runs import Run
from zoo.specs import ModelSpec, WeightsSpec
from zoo.task import Progress
from zoo.weights.published import WeightsFile, fetch, labels, tokens

PICKLES = frozenset({".pth", ".pt", ".ckpt", ".bin", ".pkl", ".pickle", ".tar"})
CONVERT = (
    "if you trust it, write its tensors as safetensors: "
    "safetensors.torch.save_file(torch.load(FILE, weights_only=True), 'weights.safetensors')"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsSource:
    """Parameters for one model, and what they were trained for."""

    name: str
    """torchvision/resnet18@torchvision/imagenet1k_v1, or the path of a run or a file."""
    classes: tuple[str, ...] = ()
    """In index order; empty where nobody recorded them."""
    vocabulary: tuple[str, ...] = ()
    """Tokens in index order; empty where none are read, or nobody recorded them."""
    input: Input | None = None
    """What they were trained with; None where nobody recorded it."""
    offer: Offer[WeightsSpec] | None = None
    checkpoint: Checkpoint | None = None
    file: Path | None = None
    notes: tuple[str, ...] = ()

    def fetch(self, progress: Progress) -> WeightsFile:
        """The file of the parameters on this disk, its hash proved where somebody named one."""
        if self.offer:
            return fetch(self.offer, progress=progress)
        path = self.checkpoint.model if self.checkpoint else self.file
        assert path is not None
        return WeightsFile(path=path, sha256=file_sha256(path))


def find_source(text: str, catalog: Catalog, model: Offer[ModelSpec]) -> WeightsSource:
    """The parameters that TEXT means for a model: an existing path first, then a tag."""
    path = Path(text)
    if path.exists():
        return _run_source(path, model) if (path / "run.json").is_file() else _file_source(path)
    plugin, _, _ = text.rpartition("/")
    if "@" in text or (not path.suffix and plugin in ("", *(one.name for one in catalog.plugins))):
        name = text if "@" in text else f"{model.full_name}@{text}"
        return published_source(catalog, catalog.weight(name), model)
    raise UsageError(f"the weights {text} do not exist", hint=_tags(catalog, model))


def published_source(catalog: Catalog, offer: Offer[WeightsSpec], model: Offer[ModelSpec]) -> WeightsSource:
    """Published parameters, of this very model."""
    if offer.model != model.full_name:
        raise UsageError(f"{offer.full_name} are weights of {offer.model}, not of {model.full_name}")
    return WeightsSource(
        name=offer.full_name,
        classes=labels(catalog, offer),
        vocabulary=tokens(catalog, offer),
        input=offer.spec.input or model.spec.input,
        offer=offer,
        notes=(offer.note,) if offer.note else (),
    )


def _run_source(path: Path, model: Offer[ModelSpec]) -> WeightsSource:
    run = Run.open(path)
    if run.config.model != model.full_name:
        raise UsageError(f"the run {path} trained {run.config.model}, not {model.full_name}")
    found = run.checkpoint("best")
    return WeightsSource(
        name=str(path),
        classes=run.problem.classes,
        vocabulary=run.problem.vocabulary,
        input=run.problem.input,
        checkpoint=found.checkpoint,
        notes=found.notes,
    )


def _file_source(path: Path) -> WeightsSource:
    if path.is_dir():
        raise UsageError(
            f"{path} cannot be taken for weights: it is a folder without run.json, so no run of zoo",
            hint="name a run directory, a .safetensors file or a tag",
        )
    if path.suffix == ".safetensors":
        return WeightsSource(name=str(path), file=path)
    if path.suffix in PICKLES:
        raise BadFile(
            f"{path} cannot be taken for weights: a pickle can run code when it is read, and zoo reads none",
            hint=CONVERT,
        )
    raise BadFile(
        f"{path} cannot be taken for weights: it is neither a .safetensors file nor a run of zoo", hint=CONVERT
    )


def _tags(catalog: Catalog, model: Offer[ModelSpec]) -> str:
    tags = ", ".join(offer.spec.tag for offer in catalog.weights(model.full_name))
    return f"name a run directory, a .safetensors file{f', or one of {tags}' if tags else ''}"
