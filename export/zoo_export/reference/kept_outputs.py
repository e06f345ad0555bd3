"""What PyTorch gave for the same module, arithmetic and inputs before: kept for a second proof of the same target.

The key says everything that an output depends on: the module with its parameters, the source of its classes and of
zoo, the versions of torch and numpy, the machine.  A module may still depend on what no key can name, so some outputs
are computed anew in every proof: the first of each arithmetic, and others chosen by chance.  Where one of those is
another, nothing that was kept holds any more, and the proof is made again without it (`KeptOutputs.is_wrong`).
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from secrets import randbelow
from typing import Final

import numpy as np
import torch
from torch import nn

from zoo.api.task import Signature
from zoo.models.outputs import Array
from zoo.runs.kept_files import read_entry, write_entry
from zoo_export.capture.capture_files import entry_name
from zoo_export.capture.kept_captures import module_key
from zoo_export.subject.results import Outputs

MAX_BYTES: Final = 8 << 20
"""Of the outputs of one module; those that come later are not kept."""
CHECKED: Final = 8
"""One of so many outputs is computed anew, chosen by chance."""
SAME: Final[Mapping[str, float]] = {"float64": 1e-9, "float32": 1e-4}
"""Largest difference, relative to the largest value, that another number of threads makes; of other dtypes none."""


@dataclass(slots=True, kw_only=True)
class KeptOutputs:
    """Outputs of one module in several arithmetics; new ones are added, and `save` keeps them."""

    name: str | None
    """Of the entry; None where nothing is kept."""
    outputs: dict[str, Outputs] = field(default_factory=dict)
    """By arithmetic and inputs."""
    is_checked: bool = True
    """Some are computed anew; not needed where a wrong one could do no harm."""
    is_wrong: bool = False
    """Something that was kept is not what PyTorch gives now."""
    _checked: set[str] = field(default_factory=set)
    _new: int = 0

    def get(self, arithmetic: str, inputs: Outputs, compute: Callable[[], Outputs]) -> Outputs:
        """What the module gives for these inputs, as `compute` does."""
        if self.name is None:
            return compute()
        key = f"{arithmetic} {_digest(inputs)}"
        kept = self.outputs.get(key)
        if kept is not None and not self._is_chosen(arithmetic):
            return kept
        outputs = compute()
        if kept is None:
            self._add(key, outputs)
        else:
            self.is_wrong = self.is_wrong or not _same(kept, outputs)
        return outputs

    def _is_chosen(self, arithmetic: str) -> bool:
        """Whether this output, which is kept, is computed anew: the first of each arithmetic, the others by chance."""
        if not self.is_checked:
            return False
        first = arithmetic not in self._checked
        self._checked.add(arithmetic)
        return first or randbelow(CHECKED) == 0

    def save(self) -> None:
        """Keep what is new for other processes; nothing of a module that gave other outputs than before."""
        if self.name is not None and self._new and not self.is_wrong:
            write_entry(self.name, _written(self.outputs))

    def discard(self) -> None:
        """Replace what is kept by nothing."""
        if self.name is not None:
            write_entry(self.name, _written({}))

    def _add(self, key: str, outputs: Outputs) -> None:
        held = sum(value.nbytes for values in self.outputs.values() for value in values.values())
        if held + sum(value.nbytes for value in outputs.values()) <= MAX_BYTES:
            self.outputs[key] = outputs
            self._new += 1


def kept_outputs(module: nn.Module, signature: Signature, *, is_checked: bool = True) -> KeptOutputs:
    """What is kept of this module on this machine."""
    key = module_key(module, signature)
    machine = (platform.node(), platform.machine(), torch.backends.cpu.get_cpu_capability())
    name = None if key is None else entry_name(("outputs", key, machine))
    data = None if name is None else read_entry(name)
    return KeptOutputs(name=name, outputs={} if data is None else _read(data), is_checked=is_checked)


def _written(outputs: Mapping[str, Outputs]) -> bytes:
    """The arrays in one file, with a table of their names."""
    flat = [(key, name, value) for key, values in outputs.items() for name, value in values.items()]
    table = json.dumps([[key, name] for key, name, _ in flat]).encode()
    buffer = io.BytesIO()
    arrays = {str(index): value for index, (_, _, value) in enumerate(flat)}
    np.savez(buffer, allow_pickle=False, table=np.frombuffer(table, np.uint8), **arrays)
    return buffer.getvalue()


def _read(data: bytes) -> dict[str, Outputs]:
    outputs: dict[str, dict[str, Array]] = {}
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            for index, (key, name) in enumerate(json.loads(arrays["table"].tobytes())):
                outputs.setdefault(key, {})[name] = arrays[str(index)]
    except (ValueError, KeyError, OSError):  # written by another version
        return {}
    return dict(outputs)


def _digest(inputs: Outputs) -> str:
    digest = hashlib.sha256()
    for name, value in sorted(inputs.items()):
        digest.update(f"{name} {value.dtype.str} {value.shape} ".encode())
        digest.update(np.ascontiguousarray(value).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _same(kept: Outputs, outputs: Outputs) -> bool:
    return kept.keys() == outputs.keys() and all(_close(kept[name], value) for name, value in outputs.items())


def _close(kept: Array, value: Array) -> bool:
    if kept.dtype != value.dtype or kept.shape != value.shape:
        return False
    allowed = SAME.get(value.dtype.name)
    if allowed is None:
        return np.array_equal(kept, value)
    finite = value[np.isfinite(value)]
    scale = float(np.abs(finite).max(initial=0.0))
    return np.allclose(kept, value, rtol=0.0, atol=allowed * scale, equal_nan=True)
