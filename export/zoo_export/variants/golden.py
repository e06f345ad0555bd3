"""Golden cases of a variant: inputs of the bundle's, with the variant's own answers as they were here."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from zoo.bundle.runtime.golden_replay import golden_bytes
from zoo.bundle.runtime.manifest import GoldenOutput
from zoo.bundle.sandbox.runtime import Runtime
from zoo_export.bundle.golden_files import GoldenFile, golden_files
from zoo_export.bundle.variant import VariantGolden
from zoo_export.capture.capture import PIPELINE
from zoo_export.subject.results import Outputs
from zoo_export.variants.measure import Baseline


def variant_golden(
    files: Mapping[str, bytes], answers: Sequence[Outputs], baseline: Baseline, runtime: Runtime, *, folder: str
) -> Iterator[VariantGolden]:
    """The bundle's golden cases of one step, answered by the variant.

    A device may be off from these answers by what the variant is off from fp32, and must be as near to whole numbers
    as the bundle's own cases ask for.
    """
    sessions = {name: runtime.session(data, title=f"the variant's {name}") for name, data in files.items()}
    stored = [_Stored.of(file) for file in golden_files(baseline.proof) if file.record.steps == 1]
    actual = [runtime.run(sessions[case.file.record.graph], case.inputs) for case in stored]
    pairs: list[tuple[str, Outputs, Outputs]]
    pairs = [(case.file.record.graph, case.answers, given) for case, given in zip(stored, actual, strict=True)]
    pairs += [(PIPELINE, expected, given) for expected, given in zip(baseline.answers, answers, strict=True)]
    for case, given in zip(stored, actual, strict=True):
        record = case.file.record
        own = [(expected, other) for graph, expected, other in pairs if graph == record.graph]
        outputs = tuple(_tolerance(output, own) for output in record.outputs)
        yield VariantGolden(
            record=replace(record, file=folder + record.file, graph=folder + record.graph, outputs=outputs),
            data=golden_bytes(case.inputs, {output.name: given[output.name] for output in outputs}),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    file: GoldenFile
    inputs: Outputs
    answers: Outputs

    @classmethod
    def of(cls, file: GoldenFile) -> _Stored:
        with np.load(io.BytesIO(file.data), allow_pickle=False) as arrays:
            inputs = {name[3:]: arrays[name] for name in arrays.files if name.startswith("in.")}
            answers = {name[4:]: arrays[name] for name in arrays.files if name.startswith("out.")}
        return cls(file=file, inputs=inputs, answers=answers)


def _tolerance(output: GoldenOutput, pairs: Sequence[tuple[Outputs, Outputs]]) -> GoldenOutput:
    """What the variant's answers are off from fp32's, over all of them; never less than what fp32 itself may be."""
    if output.compare != "tolerance":
        return output
    errors = [
        np.abs(given[output.name].astype(np.float64) - expected[output.name].astype(np.float64)).ravel()
        for expected, given in pairs
        if expected[output.name].shape == given[output.name].shape
    ]
    error = np.concatenate([*errors, np.zeros(1)])
    return replace(
        output,
        rms=max(output.rms or 0.0, float(np.sqrt(np.mean(error**2)))),
        max=max(output.max or 0.0, float(error.max())),
    )
