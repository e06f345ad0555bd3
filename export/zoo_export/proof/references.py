"""What PyTorch says is right, in every arithmetic, for both graphs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from zoo.api.task import Case
from zoo.bundle.judge.evidence import BEYOND, Prepared
from zoo.models.pipeline import TorchPipeline
from zoo_export.capture.compose import IN
from zoo_export.measure.boundary import boundary_references
from zoo_export.measure.outputs import compare_kind
from zoo_export.measure.preprocess import compare_preprocessed, differs_by_rounding
from zoo_export.proof.submit import Submitted, SubmittedPipeline
from zoo_export.reference.answer_noise import answer_noise
from zoo_export.reference.backends import DEFAULT
from zoo_export.reference.batch_invariance import batch_dependence
from zoo_export.reference.oracle import BackendRuns, DoubleRuns, Oracle, ReferenceOutputs, oracle_of, reference_outputs
from zoo_export.reference.postprocess import PipelinePair, pipeline_pair
from zoo_export.reference.strategy import DenseStrategy
from zoo_export.subject.choose_cases import Inputs
from zoo_export.subject.ranges import is_range
from zoo_export.subject.results import Failed, Outputs, RuntimeOutputs
from zoo_export.subject.subject import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class EagerModel:
    """The user's own model in PyTorch."""

    oracle: Oracle
    """As model.onnx."""
    pipelines: PipelinePair
    """As pipeline.onnx."""
    double: DoubleRuns
    """What double precision gives for the model's cases."""


def run_double(subject: Subject, inputs: Inputs, pipeline: TorchPipeline) -> EagerModel:
    """The slowest arithmetic, before there is a file that the runtime could work on."""
    cases = [case.inputs for case in inputs.model if not is_range(case)]
    oracle = oracle_of(subject.module, subject.signature, cases[0])
    return EagerModel(
        oracle=oracle, pipelines=pipeline_pair(pipeline, oracle.backends.double), double=oracle.run_double(cases)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphReferences:
    """What is right for one graph."""

    cases: tuple[ReferenceOutputs | Failed, ...]
    rollouts: tuple[ReferenceOutputs | Failed, ...]
    violations: tuple[ReferenceOutputs | Failed, ...]
    """A failure where PyTorch itself does not run at that size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """What is right, according to PyTorch."""

    model: GraphReferences
    pipeline: GraphReferences | None
    """None where a model alone is measured."""
    preprocessed: tuple[Prepared | None, ...]
    """Per raw case: the file's preprocessed picture against the training-time one; None where there is no picture."""
    boundary: tuple[ReferenceOutputs | Failed, ...]
    """Per boundary case what PyTorch's own postprocess gives."""
    answer_noise: Mapping[str, float]
    """Per answer of free length, how far it moves with the noise of the model's outputs."""
    batch_dependence: str
    """How an item's answer depends on its batch, in a sentence; empty where it does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _ModelRuns:
    """PyTorch's runs of the model, in every arithmetic."""

    cases: tuple[BackendRuns | Failed, ...]
    rollouts: tuple[BackendRuns | Failed, ...]
    violations: tuple[BackendRuns | Failed, ...]

    def references(self) -> GraphReferences:
        """What is right for model.onnx."""
        return GraphReferences(
            cases=tuple(map(reference_outputs, self.cases)),
            rollouts=tuple(map(reference_outputs, self.rollouts)),
            violations=tuple(map(reference_outputs, self.violations)),
        )


def compute_references(subject: Subject, inputs: Inputs, eager: EagerModel, submitted: Submitted) -> References:
    """PyTorch in every arithmetic on every case, rollout and size."""
    oracle, pipeline = eager.oracle, submitted.pipeline
    runs = _ModelRuns(
        cases=_case_runs(oracle, inputs.model, eager.double, single_first=_is_single_first(oracle, subject)),
        rollouts=tuple(oracle.rollout(rollout) for rollout in submitted.model.rollouts),
        violations=tuple(oracle.run(case.inputs) for case in submitted.model.violations),
    )
    pairs = [] if pipeline is None else _preprocessed_pairs(inputs, pipeline)
    rounded = [_rounded(actual, expected, subject) for actual, expected in pairs]
    model = runs.references()
    return References(
        model=model,
        pipeline=None
        if pipeline is None
        else _pipeline_references(inputs, eager, runs, rounded, pipeline.graph.violations),
        preprocessed=tuple(
            None if isinstance(actual, Failed) else compare_preprocessed(actual, expected, subject.problem)
            for actual, expected in pairs
        ),
        boundary=() if pipeline is None else boundary_references(inputs.boundary, eager.pipelines),
        answer_noise={} if pipeline is None else _answer_noise(inputs.raw, model.cases, eager.pipelines),
        batch_dependence=_batch_dependence(oracle, inputs.model, runs.cases),
    )


def pipeline_references(
    subject: Subject, cases: Sequence[Case], preprocess: Callable[[Sequence[Case]], Sequence[RuntimeOutputs]]
) -> tuple[ReferenceOutputs | Failed, ...]:
    """What is right for more raw inputs; `preprocess` gives what a proved pipeline's own preprocess makes of them."""
    pipeline = subject.torch_pipeline()
    prepared = [pipeline.inputs(case.inputs) for case in cases]
    oracle = oracle_of(subject.module, subject.signature, prepared[0])
    pair = pipeline_pair(pipeline, oracle.backends.double)
    rows = zip(cases, oracle.runs(prepared), map(_model_names, preprocess(cases)), prepared, strict=True)
    references = []
    for case, run, actual, expected in rows:
        picture = _rounded(actual, expected, subject)
        moved = run if isinstance(run, Failed) or picture is None else oracle.moved(run, picture)
        references.append(reference_outputs(pair.answers(moved, case.inputs)))
    return tuple(references)


def _answer_noise(
    raw: Sequence[Case], model: Sequence[ReferenceOutputs | Failed], pipelines: PipelinePair
) -> dict[str, float]:
    """Over the gating cases of usual values, of the answers that only the task can compare."""
    signature = pipelines.single.signature
    free = [port.name for port in signature.outputs if compare_kind(port, signature) == "agreement"]
    names = [port.name for port in signature.outputs if port.name in free and port.dtype.startswith("float")]
    noise: dict[str, float] = {}
    for case, expected in zip(raw, model, strict=False):
        if not names or not case.gates or case.kind in BEYOND or isinstance(expected, Failed):
            continue
        for name, size in answer_noise(expected, case.inputs, pipelines.double, names).items():
            noise[name] = max(noise.get(name, 0.0), size)
    return noise


def with_double(
    references: References,
    indices: Sequence[int],
    *,
    subject: Subject,
    inputs: Inputs,
    eager: EagerModel,
    submitted: Submitted,
) -> References:
    """The same, with double precision for these cases of the model, of which plain fp32 alone is known."""
    if not indices:
        return references
    asked = eager.oracle.runs([inputs.model[index].inputs for index in indices], backends=(DEFAULT,))
    runs = dict(zip(indices, asked, strict=True))
    cases = list(references.model.cases)
    for index, run in runs.items():
        cases[index] = reference_outputs(run)
    model = replace(references.model, cases=tuple(cases))
    if submitted.pipeline is None or references.pipeline is None:
        return replace(references, model=model)
    pairs = _preprocessed_pairs(inputs, submitted.pipeline)
    answers = list(references.pipeline.cases)
    for index, run in runs.items():
        if index < len(answers):
            picture = _rounded(*pairs[index], subject)
            moved = run if isinstance(run, Failed) or picture is None else eager.oracle.moved(run, picture)
            answers[index] = reference_outputs(eager.pipelines.answers(moved, inputs.raw[index].inputs))
    return replace(references, model=model, pipeline=replace(references.pipeline, cases=tuple(answers)))


def _is_single_first(oracle: Oracle, subject: Subject) -> bool:
    """Whether a range is compared with plain fp32 first, and double precision decides where that is not near enough.

    Not where the task compares the answers, nor where outputs are matched, nor where fp32 is not what is computed.
    """
    ports = [
        (port, signature) for signature in (subject.signature, subject.pipeline_signature) for port in signature.outputs
    ]
    return (
        oracle.backends.double is not None
        and oracle.backends.facts.precision == "float32"
        and isinstance(oracle.strategy, DenseStrategy)
        and all(compare_kind(port, signature) != "agreement" for port, signature in ports)
    )


def _case_runs(
    oracle: Oracle, cases: Sequence[Case], double: DoubleRuns, *, single_first: bool
) -> tuple[BackendRuns | Failed, ...]:
    """Every arithmetic on the cases; of those of a range the default, with `single_first` without double precision."""
    usual = iter(oracle.runs([case.inputs for case in cases if not is_range(case)], double=double))
    ranges = [case.inputs for case in cases if is_range(case)]
    if single_first:
        runs = iter(oracle.single_runs(ranges))
    else:
        # without the spread of the backends as noise where double precision does not run, one backend would have none
        runs = iter(oracle.runs(ranges, backends=None if oracle.backends.double is None else (DEFAULT,)))
    return tuple(next(runs if is_range(case) else usual) for case in cases)


def _preprocessed_pairs(inputs: Inputs, pipeline: SubmittedPipeline) -> list[tuple[RuntimeOutputs, Outputs]]:
    """Per raw case what the file's own preprocess gives, and what the training-time one does."""
    actual = map(_model_names, pipeline.preprocessed.result())
    return [(outputs, case.inputs) for outputs, case in zip(actual, inputs.model, strict=False)]


def _batch_dependence(oracle: Oracle, cases: Sequence[Case], runs: Sequence[BackendRuns | Failed]) -> str:
    """Of the cases that went through together."""
    usual = [index for index, case in enumerate(cases) if not is_range(case)]
    return batch_dependence(oracle, [cases[index] for index in usual], [runs[index] for index in usual])


def _model_names(outputs: RuntimeOutputs) -> RuntimeOutputs:
    """The outputs of a preprocess under the names of the model's inputs."""
    if isinstance(outputs, Failed):
        return outputs
    return {name.removeprefix(IN): value for name, value in outputs.items()}


def _rounded(actual: RuntimeOutputs, expected: Outputs, subject: Subject) -> Outputs | None:
    """The file's own preprocessed picture, where it is as right as PyTorch's but for the rounding of a few values."""
    if isinstance(actual, Failed) or not differs_by_rounding(actual, expected, subject.problem):
        return None
    return actual


def _pipeline_references(
    inputs: Inputs,
    eager: EagerModel,
    runs: _ModelRuns,
    rounded: Sequence[Outputs | None],
    violations: Sequence[Case],
) -> GraphReferences:
    """What is right for pipeline.onnx: the answers that follow from the model's runs.

    Where the file's own picture is as right, double precision is moved to it.
    """
    oracle, pipelines = eager.oracle, eager.pipelines
    moved = [
        run if isinstance(run, Failed) or picture is None else oracle.moved(run, picture)
        for run, picture in zip(runs.cases, rounded, strict=False)
    ]
    at_sizes = [(oracle.run(pipelines.single.inputs(case.inputs)), case.inputs) for case in violations]
    return GraphReferences(
        cases=tuple(
            reference_outputs(pipelines.answers(run, case.inputs)) for run, case in zip(moved, inputs.raw, strict=True)
        ),
        rollouts=tuple(reference_outputs(pipelines.answers(run, {})) for run in runs.rollouts),
        violations=tuple(reference_outputs(pipelines.answers(run, raw)) for run, raw in at_sizes),
    )
