"""Checks of published weights.  [torch]"""

from __future__ import annotations

from typing import Final

from zoo.api.data import DataRequest, counted
from zoo.api.errors import ZooError
from zoo.api.specs import WeightsSpec
from zoo.models.build import silent
from zoo.models.load import load_trained
from zoo.models.target import TargetRequest, WeightsTarget
from zoo.models.weights.published import cache_path, fetch
from zoo.models.weights.source import published_source
from zoo.registry.name_resolution import RegistryEntry
from zoo.testing.check_context import CheckContext
from zoo.testing.score import Failing, NotApplicable
from zoo.training.results.evaluate import evaluate_target

Weights = RegistryEntry[WeightsSpec]
TOLERANCE: Final = 0.005
"""The largest difference between a metric and its claim: absolute, or relative for claims above 1."""


def hash(context: CheckContext, entry: Weights) -> str:
    """The file has the bytes that its sha256 names."""
    del context
    _require_download(entry)
    return fetch(entry, progress=silent).sha256[:16]


def licence(context: CheckContext, entry: Weights) -> str:
    """A licence is named."""
    del context
    if not entry.spec.licence.strip():
        raise Failing("no licence is named", next_step='WeightsSpec(..., licence="CC-BY-4.0"), an SPDX name')
    return entry.spec.licence


def loads(context: CheckContext, entry: Weights) -> str:
    """The tensors of the file are exactly those of the model."""
    _require_download(entry)
    trained = load_trained(_target(context, entry), context.catalog)
    return counted(len(trained.model.state_dict()), "tensor")


def metric(context: CheckContext, entry: Weights) -> str:
    """The claimed metrics are what `zoo eval` measures on the data they are claimed for."""
    _require_download(entry)
    if not entry.spec.metrics:
        raise NotApplicable("it claims none", next_step="WeightsSpec(..., metrics={...}, data=...)")
    target = _target(context, entry)
    try:
        context.catalog.make_task(target.model.spec.task).data.detect(DataRequest(source=entry.spec.data))
    except ZooError:
        reason = f"the data they are claimed for, {entry.spec.data or 'which are not named'}, are not at hand"
        raise NotApplicable(reason) from None
    request = TargetRequest(catalog=context.catalog, target=target)
    measured = evaluate_target(request, data=entry.spec.data).metrics
    wrong = [
        f"{name} is {measured.get(name, float('nan')):.4g}, {claim:.4g} is claimed"
        for name, claim in entry.spec.metrics.items()
        if not abs(measured.get(name, float("nan")) - claim) <= TOLERANCE * max(1.0, abs(claim))
    ]
    if wrong:
        raise Failing("; ".join(wrong), next_step=f"claim what is measured: zoo eval {entry.bare_name}")
    return ", ".join(f"{name} {measured[name]:.4g}" for name in entry.spec.metrics)


def _target(context: CheckContext, entry: Weights) -> WeightsTarget:
    model = context.catalog.model(entry.model)
    return WeightsTarget(model=model, source=published_source(context.catalog, entry, model))


def _require_download(entry: Weights) -> None:
    """NotApplicable where the file would have to be downloaded."""
    if entry.spec.url and not cache_path(entry.spec).exists():
        raise NotApplicable("not downloaded", next_step=f"zoo eval {entry.bare_name}, then check again")
