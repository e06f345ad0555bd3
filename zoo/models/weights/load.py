"""Tensors from files, and into models, strictly and without ever running code from a file."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from zoo.api.errors import BadFile
from zoo.models.weights.pickled import as_safetensors

State = Mapping[str, Tensor]
SHOWN = 3


def read_state(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file, or of a pickled checkpoint, converted in a sandbox; BadFile otherwise."""
    if path.suffix != ".safetensors":
        path = as_safetensors(path)
    try:
        state = load_file(path)
        with safe_open(path, framework="pt") as file:
            versions = (file.metadata() or {}).get("versions")
    except (SafetensorError, OSError) as error:
        raise BadFile(f"{path} is not a readable safetensors file: {error}") from error
    if not versions:
        return state
    versioned: Any = OrderedDict(state)
    versioned._metadata = json.loads(versions)
    return versioned  # type: ignore[no-any-return]


def without(state: State, prefixes: Iterable[str]) -> dict[str, Tensor]:
    """The state_dict without the names that begin with any of these prefixes."""
    unwanted = tuple(prefixes)
    return _like(state, {name: tensor for name, tensor in state.items() if not name.startswith(unwanted)})


def load_state(
    model: nn.Module, state: State, *, origin: str, optional: tuple[str, ...] = (), fresh: tuple[str, ...] = ()
) -> None:
    """Put a state_dict into a model, every name, shape and dtype as it should be; BadFile names what is not.

    Narrower floating-point numbers are widened to the model's, which is exact; nothing else is converted.
    Names beginning with a prefix in `optional` may be on one side only; those in `fresh` keep what the model has.
    """
    wanted = _versioned(model, without(state, fresh))
    if wrong := _dtypes(model, wanted):
        raise BadFile(_mismatch(origin, model, wrong))
    try:
        result = model.load_state_dict(wanted, strict=False)
    except RuntimeError as error:
        raise BadFile(_mismatch(origin, model, _shapes(model, wanted) or [str(error)])) from error
    missing = [name for name in _untied(model, result.missing_keys, wanted) if not name.startswith((*optional, *fresh))]
    extra = [name for name in result.unexpected_keys if not name.startswith(optional)]
    reasons = [f"{name} is missing" for name in missing] + [f"{name} is not in the model" for name in extra]
    if reasons:
        raise BadFile(_mismatch(origin, model, reasons))


def _mismatch(origin: str, model: nn.Module, reasons: list[str]) -> str:
    more = f", and {len(reasons) - SHOWN} more" if len(reasons) > SHOWN else ""
    return f"{origin} does not fit this {type(model).__name__}: {', '.join(reasons[:SHOWN])}{more}"


def _shapes(model: nn.Module, state: State) -> list[str]:
    return [
        f"{name} is {list(state[name].shape)} where {list(own.shape)} belongs"
        for name, own in model.state_dict().items()
        if name in state and state[name].shape != own.shape
    ]


def _dtypes(model: nn.Module, state: State) -> list[str]:
    return [
        f"{name} is {_name(state[name])} where {_name(own)} belongs"
        for name, own in model.state_dict().items()
        if name in state and not _fits(state[name].dtype, own.dtype)
    ]


def _fits(stored: torch.dtype, own: torch.dtype) -> bool:
    """True for the same type, and for a floating-point type that the model's can represent exactly."""
    both = stored.is_floating_point and own.is_floating_point
    return stored == own or (both and torch.promote_types(stored, own) == own)


def _name(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _untied(model: nn.Module, missing: list[str], state: State) -> list[str]:
    """The missing names that are not a second name of a tensor in the file."""
    own = model.state_dict()
    loaded = {tensor.data_ptr() for name, tensor in own.items() if name in state} - {0}
    return [name for name in missing if own[name].data_ptr() not in loaded]


def _versioned(model: nn.Module, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """With the format versions that some modules ask for; a safetensors file keeps none, and holds the newest."""
    if hasattr(state, "_metadata"):
        return state
    versioned: Any = OrderedDict(state)
    versioned._metadata = model.state_dict()._metadata  # type: ignore[attr-defined]
    return versioned  # type: ignore[no-any-return]


def _like(state: State, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors with the format versions of the state they came from, where it has any."""
    if not hasattr(state, "_metadata"):
        return tensors
    kept: Any = OrderedDict(tensors)
    kept._metadata = state._metadata
    return kept  # type: ignore[no-any-return]
