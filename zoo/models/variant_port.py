"""Variants of a bundle whose pipeline takes other inputs than the bundle's own: pictures of one size, or batches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING, Any

from zoo.api.errors import UsageError
from zoo.bundle.judge.form_rule import BATCH
from zoo.bundle.runtime.manifest import Manifest
from zoo.runs.serialization import to_json

if TYPE_CHECKING:
    from zoo.api.task import Arrays


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantPort:
    """What a variant of a bundle takes: one size, or batches."""

    record: Mapping[str, Any]
    """Of the variant, as the manifest has it."""
    names: tuple[Mapping[str, str], Mapping[str, str]]
    """Inputs and outputs of the variant by those of the bundle's pipeline."""
    batch_size: int
    """How many items go through together; 0 for a variant of one size."""

    def unlike(self, inputs: Arrays) -> str:
        """How an input has another size than the variant is for; empty where it has that size, or may have any."""
        from zoo.bundle.runtime.bundled_variant import unlike  # noqa: PLC0415  imports numpy

        return "" if self.batch_size else unlike(inputs, self.record)


def variant_port(manifest: Manifest, variant: str, batch_size: int | None) -> VariantPort | None:
    """The variant for one size or for batches that answers; None for every other graph."""
    from zoo.bundle.runtime.bundled_variant import batch_names  # noqa: PLC0415  imports numpy

    if batch_size is not None:
        if variant not in ("", BATCH):
            raise UsageError(
                f"the variant {variant} takes one item at a time, and --batch-size is for {BATCH}",
                hint="leave --variant or --batch-size out",
            )
        if not any(record.takes_batches for record in manifest.variants):
            target = quote(manifest.lineage.target or "TARGET")
            raise UsageError(
                f"the bundle of {manifest.model} has no pipeline for batches",
                hint=f"zoo export {target} --onnx --batch adds one",
            )
        variant = BATCH
    record = manifest.variant(variant) if variant else None
    if record is None or record.signature is None:
        return None
    as_json = to_json(record)
    return VariantPort(
        record=as_json,
        names=batch_names(as_json, to_json(manifest.pipeline_signature)),
        batch_size=(batch_size or 1) if record.takes_batches else 0,
    )
