"""The rows of a catalogue, and `zoo.list_models`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from zoo.api.errors import PluginError, UsageError
from zoo.api.specs import ModelSpec, WeightsSpec
from zoo.registry.catalog import Catalog
from zoo.registry.listing import ListedModel, ListedWeights, Listing, select
from zoo.registry.name_resolution import RegistryEntry, S


def make_listing(catalog: Catalog) -> Listing:
    """The rows of a catalogue."""
    weights: dict[str, list[ListedWeights]] = defaultdict(list)
    for entry in catalog.weights():
        weights[entry.model].append(_listed_weights(entry))
    notes = [plugin.warning for plugin in catalog.plugins if plugin.warning]
    notes += [_model_missing(orphan) for orphan in catalog.without_model()]
    return Listing(
        models=[_listed_model(catalog, entry, weights[entry.full_name]) for entry in catalog.models()], notes=notes
    )


def list_models(
    pattern: str = "*",
    task: str | None = None,
    *,
    pretrained: bool = False,
    licence: str = "",
    max_params: int | None = None,
    family: str = "",
    catalogue: str = "",
) -> list[str]:
    """The full names of the installed models that fit, sorted.

    A pattern with `*`, `?` or `[` must match the whole name; without them it may match a part of it.  `pretrained`
    keeps models with published weights, `licence` those whose weights (or code, without weights) have a licence that
    contains the text, `max_params` those with at most so many parameters, `family` those of one family ("resnet"),
    `catalogue` those of one plugin ("timm").  Models that are only listed are left out.  UnknownName for a task or a
    plugin that nobody offers.

    Args:
        pattern: A part of a name, or the whole with wildcards.
        task: A task's name.
        pretrained: Only models with published weights.
        licence: A part of a licence's name.
        max_params: The most parameters.
        family: A family's name.
        catalogue: A plugin's name.

    Returns:
        Full names, "plugin/model".

    Raises:
        UnknownName: Nobody offers the task or the plugin.

    Examples:
        >>> zoo.list_models("resnet8")
        ['resnet/resnet8']
    """
    if max_params is not None and (not isinstance(max_params, int) or isinstance(max_params, bool) or max_params < 1):
        raise UsageError(f"max_params is {max_params!r}; it must be a whole number from 1 on, as 5_000_000")
    catalog = Catalog.discover()
    rows = select(
        make_listing(catalog).models,
        pattern=pattern,
        task=catalog.task(task).full_name if task else "",
        plugin=catalog.plugin(catalogue).name if catalogue else "",
        family=family,
        licence=licence,
        max_params=max_params,
        pretrained=pretrained,
    )
    return [row.full_name for row in rows if not row.not_available]


def _listed_model(catalog: Catalog, entry: RegistryEntry[ModelSpec], weights: Sequence[ListedWeights]) -> ListedModel:
    spec = entry.spec
    return ListedModel(
        full_name=entry.full_name,
        bare_name=entry.bare_name,
        names=(entry.name, entry.full_name, *entry.aliases, *entry.former_names),
        aliases=entry.aliases,
        takes_over=dict(spec.takes_over),
        plugin=entry.plugin.name,
        family=spec.family or entry.plugin.name,
        task=spec.task,
        task_full_name=catalog.task_name(entry),
        parameters=spec.parameters,
        input=spec.input.describe(),
        licence=spec.licence,
        extra="" if is_available(catalog, entry) else str(spec.extra),
        not_available=spec.not_available,
        weights=weights,
    )


def _listed_weights(entry: RegistryEntry[WeightsSpec]) -> ListedWeights:
    spec = entry.spec
    return ListedWeights(
        tag=entry.name,
        full_name=entry.full_name,
        bare_name=entry.bare_name,
        plugin=entry.plugin.name,
        licence=spec.licence,
        size=spec.size,
        data=spec.data,
        metrics=dict(spec.metrics),
    )


def is_available(catalog: Catalog, entry: RegistryEntry[S]) -> bool:
    """Whether all that a model, a callback or a runtime needs of Python packages is installed."""
    try:
        return not catalog.missing(entry)
    except PluginError:
        return False


def _model_missing(weights: RegistryEntry[WeightsSpec]) -> str:
    """Why weights are not listed, and what to install."""
    plugin, _, model = weights.model.partition("/")
    return (
        f"the {weights.plugin.title} has weights {weights.spec.tag} for {weights.model}, and no installed plugin "
        f"{plugin!r} offers {model}\n  pip install the package of the plugin {plugin!r}"
    )
