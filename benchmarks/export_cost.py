"""What the proof costs: the whole of `zoo export` against a warm `torch.onnx.export`, and against another zoo.

    python benchmarks/export_cost.py [MODEL] [ROUNDS]
    python benchmarks/export_cost.py MODEL ROUNDS --against OTHER_ZOO
    python benchmarks/export_cost.py --verify MODEL@WEIGHTS ROUNDS
    python benchmarks/export_cost.py --memory MODEL

The first runs a bare export, the whole, and the whole without controls in this process, in turn, after one of each
that is not counted.  The second runs the command `zoo export` of this zoo and of another in turn, a process each.
The third runs `import torch`, a `zoo verify FILE` with nothing kept, and a second one.  The fourth prints the peak
memory of the largest process.  Printed are medians, and the ratios round by round, in CPU seconds (those of ONNX
Runtime's process among them) and on the clock.
The bars for resnet18 at 224: the whole at most 4 times the bare export in CPU, 3 times on the clock, 1.2 GB.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from unittest import mock

from zoo.api.task import Control, Signature


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one piece of work took, in seconds."""

    cpu: float
    """Of this process and of those that it started and that have ended."""
    clock: float


def cost(work: Callable[[], object]) -> Cost:
    """Of one call."""
    cpu, clock = _cpu(), time.perf_counter()
    work()
    return Cost(cpu=_cpu() - cpu, clock=time.perf_counter() - clock)


def _cpu() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def report(rounds: Sequence[Sequence[Cost]], names: Sequence[str], ratios: Sequence[tuple[int, int]]) -> None:
    """Medians by column, and the ratios of some columns, median and range."""
    for index, name in enumerate(names):
        column = [row[index] for row in rounds]
        cpu, clock = (statistics.median(values) for values in ([c.cpu for c in column], [c.clock for c in column]))
        print(f"{name:34} {cpu:6.2f} s of CPU  {clock:6.2f} s on the clock")
    for over, under in ratios:
        cpu_ratios = [row[over].cpu / row[under].cpu for row in rounds]
        clock_ratios = [row[over].clock / row[under].clock for row in rounds]
        print(
            f"{f'{names[over]} / {names[under]}':34} {_range(cpu_ratios)} of CPU  {_range(clock_ratios)} on the clock"
        )


def _range(ratios: Sequence[float]) -> str:
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


# --- in this process ---


def none_apply(declared: Sequence[Control], signature: Signature) -> tuple[Control, ...]:
    """The controls of a proof, none of which applies."""
    from zoo_export.controls.mutation_score import planned  # noqa: PLC0415  two zoos are compared without torch

    return tuple(replace(control, applies=False, reason="measuring") for control in planned(declared, signature))


def beside_bare(model: str, rounds: int) -> None:
    """Print what the whole costs beside a bare export, and without its controls."""
    import torch  # noqa: PLC0415

    import zoo  # noqa: PLC0415
    from zoo.models.target import ModelTarget  # noqa: PLC0415
    from zoo.registry.catalog import Catalog  # noqa: PLC0415
    from zoo.runs.kept_files import nothing_kept  # noqa: PLC0415
    from zoo_export.proof import submit  # noqa: PLC0415
    from zoo_export.subject.load import find_subject  # noqa: PLC0415

    catalog = Catalog.discover()
    subject = find_subject(ModelTarget(model=catalog.model(model)), catalog, untrained=True)
    image = subject.problem.image
    example = torch.randn(2, image.channels, *image.size)

    def bare() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                subject.module, (example,), dynamo=True, verbose=False, dynamic_shapes=({0: "batch"},), opset_version=18
            )

    def whole(*, proved: bool = True) -> None:
        with tempfile.TemporaryDirectory() as folder, nothing_kept():
            written = zoo.export(model, untrained=True, output=Path(folder) / "bundle", allow_unproved=not proved)
            assert written.published, written.report.sentence

    left_out = none_apply(subject.task.answers.controls(subject.problem), subject.signature)

    def uncontrolled() -> None:
        with mock.patch.object(submit, "planned", return_value=left_out):
            whole(proved=False)

    for work in (bare, whole, uncontrolled):
        work()
    rows = [(cost(bare), cost(whole), cost(uncontrolled)) for _ in range(rounds)]
    print(f"{model}, {torch.get_num_threads()} threads, {rounds} rounds, in one process")
    report(rows, ("bare", "whole", "without controls"), ((1, 0), (1, 2)))


# --- two zoos ---


def beside_other(model: str, rounds: int, other: str) -> None:
    """Print what `zoo export` of two zoos costs, a process each."""
    own = str(Path(sysconfig.get_path("scripts")) / "zoo")

    def export(command: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            output = str(Path(folder) / "bundle")
            subprocess.run(
                [command, "export", model, "--untrained", "--onnx", "-o", output], check=True, capture_output=True
            )

    rows = [(cost(lambda: export(own)), cost(lambda: export(other))) for _ in range(rounds)]
    print(f"{model}, {rounds} rounds, a process each")
    report(rows, ("this zoo", "the other"), ((0, 1),))


# --- a second proof ---


def second_verify(target: str, rounds: int) -> None:
    """Print what `zoo verify FILE --against TARGET` costs with nothing kept and the second time."""
    zoo_command = str(Path(sysconfig.get_path("scripts")) / "zoo")

    def run(*words: str) -> None:
        subprocess.run(words, check=True, capture_output=True)

    with tempfile.TemporaryDirectory() as folder:
        output = str(Path(folder) / "bundle")
        run(zoo_command, "export", target, "--onnx", "-o", output)
        verify = (zoo_command, "verify", f"{output}/model.onnx", "--against", target)
        run(*verify)
        rows = [
            (
                cost(lambda: run(sys.executable, "-c", "import torch")),
                cost(lambda: run(*verify, "--no-cache")),
                cost(lambda: run(*verify)),
            )
            for _ in range(rounds)
        ]
    print(f"zoo verify model.onnx --against {target}, {rounds} rounds, a process each")
    report(rows, ("import torch", "nothing kept", "the second time"), ((1, 0), (2, 0), (2, 1)))


# --- memory ---

BARE: Final = """
import sys, torch
from zoo.models.target import ModelTarget
from zoo.registry.catalog import Catalog
from zoo_export.subject.load import find_subject
catalog = Catalog.discover()
subject = find_subject(ModelTarget(model=catalog.model(sys.argv[1])), catalog, untrained=True)
image = subject.problem.image
example = torch.randn(2, image.channels, *image.size)
torch.onnx.export(subject.module, (example,), dynamo=True, verbose=False, dynamic_shapes=({0: "batch"},))
"""


def peaks(model: str) -> None:
    """Print the memory of `import torch, torchvision`, of a bare export of the model, and of the whole."""
    zoo_command = str(Path(sysconfig.get_path("scripts")) / "zoo")
    with tempfile.TemporaryDirectory() as folder:
        commands = {
            "import torch, torchvision": (sys.executable, "-c", "import torch, torchvision"),
            "bare": (sys.executable, "-c", BARE, model),
            "whole": (zoo_command, "export", model, "--untrained", "--onnx", "-o", f"{folder}/bundle"),
        }
        for name, words in commands.items():
            print(f"{name:34} {peak(words):6.2f} GB in the largest process")


def peak(words: Sequence[str]) -> float:
    """Gigabytes that the largest process of a command held at most."""
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, words
    return usage.ru_maxrss / 1e6


def main(arguments: Sequence[str]) -> None:
    """Print one of the four comparisons."""
    if arguments[:1] == ["--memory"]:
        peaks(*arguments[1:])
        return
    if arguments[:1] == ["--verify"]:
        target, number = (*arguments[1:], *("cnn@digits", "5")[len(arguments) - 1 :])
        second_verify(target, int(number))
        return
    against = arguments.index("--against") if "--against" in arguments else len(arguments)
    words = list(arguments[:against])
    model, rounds = (*words, *("resnet18", "5")[len(words) :])
    if against < len(arguments):
        beside_other(model, int(rounds), arguments[against + 1])
    else:
        beside_bare(model, int(rounds))


if __name__ == "__main__":
    main(sys.argv[1:])
