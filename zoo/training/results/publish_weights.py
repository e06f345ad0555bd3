"""A run, or published weights, as a file to publish: rounded if asked, measured as stored, and declared.  [torch]"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from safetensors.torch import load, save
from torch import Tensor, nn

from zoo.api.errors import OutputExists, UsageError
from zoo.api.specs import TaskSpec, WeightsSpec
from zoo.api.task import Progress
from zoo.models.build import silent
from zoo.models.load import Trained, load_trained
from zoo.models.target import TargetRequest
from zoo.models.weights.card import card_text, packing_of, recipe_of, source_name
from zoo.models.weights.load import load_state
from zoo.models.weights.rounding import Dtype, stored
from zoo.registry.catalog import Catalog
from zoo.runs.atomic import write_bytes, write_text
from zoo.runs.evaluation_result import Evaluation
from zoo.training.results.evaluate import evaluate_target

DIGITS_OF_METRICS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """Weights that can be published."""

    path: Path
    """The safetensors file."""
    card: Path
    """What there is to say about it, in Markdown, beside it."""
    spec: WeightsSpec
    """Its declaration, as a file that ships inside the plugin's package."""
    evaluation: Evaluation
    """What the stored numbers reach."""


def pack(
    request: TargetRequest,
    *,
    output: Path,
    dtype: Dtype = "float32",
    tag: str | None = None,
    licence: str | None = None,
    url: str = "",
    data: str | None = None,
    data_root: Path | None = None,
    overwrite: bool = False,
    checking: Progress = silent,
    fetching: Progress = silent,
    measuring: Progress = silent,
) -> Packed:
    """Write a target's parameters to `output`, with a card beside them.

    The metrics are measured with the numbers that are stored, on the test data where there are any.  `licence` may be
    left out where it follows: from the published weights, or from the model's and that of the task's embedded data.
    """
    card = _card_path(output, overwrite=overwrite)
    trained = load_trained(request.target, request.catalog, progress=fetching)
    licence = licence or _licence(trained, request.catalog)
    content = save(_contents(trained.model, dtype), metadata={"format": "pt"})
    load_state(trained.model, load(content), origin=str(output))
    evaluation = evaluate_target(
        request, data=data, data_root=data_root, trained=trained, checking=checking, measuring=measuring
    )
    spec = _declared(trained, evaluation, content, output=output, tag=tag, licence=licence, url=url, dtype=dtype)
    spec = _as_published(spec, trained)
    write_bytes(output, content)
    write_text(card, card_text(spec, trained, evaluation, dtype=dtype))
    return Packed(path=output, card=card, spec=spec, evaluation=evaluation)


def _declared(
    trained: Trained,
    evaluation: Evaluation,
    content: bytes,
    *,
    output: Path,
    tag: str | None,
    licence: str,
    url: str,
    dtype: Dtype,
) -> WeightsSpec:
    """The spec of a file with this content; without a url it lies inside the package of the model's builder."""
    learnt_from = source_name(trained.lineage.data or evaluation.data)
    package = re.split("[.:]", trained.entry.spec.builder)[0]
    return WeightsSpec(
        model=trained.entry.name,
        tag=tag or re.sub(r"[^a-z0-9_-]+", "_", learnt_from.lower()).strip("_-"),
        licence=licence,
        sha256=hashlib.sha256(content).hexdigest(),
        url=url,
        resource="" if url else f"{package}:weights/{output.name}",
        size=len(content),
        input=trained.problem.input,
        classes=trained.problem.classes,
        vocabulary=trained.problem.vocabulary,
        facts=dict(trained.problem.facts),
        metrics=_rounded(evaluation.metrics),
        data=source_name(evaluation.data),
        recipe=recipe_of(trained) + packing_of(output.name, dtype),
    )


def _card_path(output: Path, *, overwrite: bool) -> Path:
    """Where the card goes; UsageError or OutputExists before anything expensive."""
    if output.suffix != ".safetensors":
        raise UsageError(f"{output} cannot be written: weights are .safetensors files", hint=f"-o {output}.safetensors")
    card = output.with_suffix(".md")
    for path in (output, card):
        if path.exists() and not overwrite:
            raise OutputExists(f"{path} exists already", hint="choose another place with -o, or say --overwrite")
    return card


def _contents(model: nn.Module, dtype: Dtype) -> dict[str, Tensor]:
    """The parameters and buffers as stored, in memory of their own (tied ones are written twice)."""
    return stored(
        {name: tensor.detach().cpu().contiguous().clone() for name, tensor in model.state_dict().items()}, dtype
    )


def _licence(trained: Trained, catalog: Catalog) -> str:
    """What follows from what is declared; UsageError where only the user can know."""
    task: TaskSpec = catalog.task(trained.entry.spec.task).spec
    own, started_from = trained.entry.spec.licence, trained.lineage.licence
    if trained.run is None and started_from:
        return started_from
    embedded = trained.lineage.data == task.default_data and task.data_licence
    if own and embedded:
        chain = f"; started from weights under {started_from}" if started_from else ""
        return f"{own}; trained on {task.data_licence}{chain}"
    raise UsageError(
        f"nobody declared under which licence weights trained on {source_name(trained.lineage.data)} are",
        hint="say it, the data's too: --licence 'Apache-2.0; trained on photos under CC-BY-4.0'",
    )


def _rounded(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, DIGITS_OF_METRICS) for name, value in metrics.items()}


def _as_published(spec: WeightsSpec, trained: Trained) -> WeightsSpec:
    """Published weights keep their tag, their classes and facts, and the metrics that they claim."""
    if trained.published is None:
        return spec
    old = trained.published.spec
    claimed = {name: value for name, value in spec.metrics.items() if name in old.metrics}
    return replace(
        spec,
        tag=old.tag,
        classes=old.classes,
        vocabulary=old.vocabulary,
        input=old.input,
        facts=old.facts,
        metrics=claimed or spec.metrics,
        recipe=old.recipe,
    )
