"""What published parameters must keep.  [torch]"""

from __future__ import annotations

from typing import Final

from zoo.api.data import DataRequest
from zoo.api.errors import ZooError
from zoo.api.specs import WeightsSpec
from zoo.models.build import silent
from zoo.models.load import load_trained
from zoo.models.target import WeightsTarget
from zoo.models.weights.published import cache_path, fetch
from zoo.registry.name_resolution import Offer
from zoo.testing.check_context import Bench
from zoo.testing.score import Failing, NotApplicable
from zoo.training.evaluate import evaluate_target

Weights = Offer[WeightsSpec]
TOLERANCE: Final = 0.005
"""How far a metric may be from its claim, of one or of the claim where that is larger."""


def hash(bench: Bench, offer: Weights) -> str:
    """The file has the bytes that its sha256 names."""
    del bench
    _at_hand(offer)
    return fetch(offer, progress=silent).sha256[:16]


def licence(bench: Bench, offer: Weights) -> str:
    """A licence is named."""
    del bench
    if not offer.spec.licence.strip():
        raise Failing("no licence is named", next_step='WeightsSpec(..., licence="CC-BY-4.0"), an SPDX name')
    return offer.spec.licence


def loads(bench: Bench, offer: Weights) -> str:
    """Every tensor has its place in the model, and every place its tensor."""
    _at_hand(offer)
    trained = load_trained(_target(bench, offer), bench.catalog)
    return f"{len(trained.model.state_dict())} tensors"


def metric(bench: Bench, offer: Weights) -> str:
    """The claimed metrics are what `zoo eval` measures on the data they are claimed for."""
    _at_hand(offer)
    if not offer.spec.metrics:
        raise NotApplicable("it claims none", next_step="WeightsSpec(..., metrics={...}, data=...)")
    target = _target(bench, offer)
    try:
        bench.catalog.make_task(target.model.spec.task).detect(DataRequest(source=offer.spec.data))
    except ZooError:
        reason = f"the data they are claimed for, {offer.spec.data or 'which are not named'}, are not at hand"
        raise NotApplicable(reason) from None
    measured = evaluate_target(target, bench.catalog, data=offer.spec.data).metrics
    wrong = [
        f"{name} is {measured.get(name, float('nan')):.4g}, {claim:.4g} is claimed"
        for name, claim in offer.spec.metrics.items()
        if not abs(measured.get(name, float("nan")) - claim) <= TOLERANCE * max(1.0, abs(claim))
    ]
    if wrong:
        raise Failing("; ".join(wrong), next_step=f"claim what is measured: zoo eval {offer.bare_name}")
    return ", ".join(f"{name} {measured[name]:.4g}" for name in offer.spec.metrics)


def _target(bench: Bench, offer: Weights) -> WeightsTarget:
    return WeightsTarget(model=bench.catalog.model(offer.model), weights=offer)


def _at_hand(offer: Weights) -> None:
    """NotApplicable for what would have to be downloaded first."""
    if offer.spec.url and not cache_path(offer.spec).exists():
        raise NotApplicable("not downloaded", next_step=f"zoo eval {offer.bare_name}, then check again")
