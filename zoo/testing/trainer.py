"""Checks of every trainer, on a few items of the data.  [torch]"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Final

from zoo.api.callback import Callback, EpochResult
from zoo.api.data import counted
from zoo.api.recipe import Recipe
from zoo.api.specs import ModelSpec
from zoo.registry.name_resolution import RegistryEntry
from zoo.testing.check_context import CheckContext
from zoo.testing.overfit import ITEMS, OverfitTest, learn, training_request
from zoo.testing.score import Failing, NotApplicable
from zoo.training.launch.resume import resume
from zoo.training.launch.run_training import Ended
from zoo.training.launch.start import begin

Model = RegistryEntry[ModelSpec]
OVERFIT_STEPS: Final = 400
"""The overfit test fails when the loss has not fallen far enough after so many steps."""
MIN_STEPS: Final = 20
"""A fall of the loss in fewer steps may be an accident."""
LAST_LOSSES: Final = 5
OVERFIT_LOSS_RATIO: Final = 0.6
"""The last loss must be at most this part of the first."""
RUN_ITEMS: Final = 3 * ITEMS
"""Dataset entries in each of the two epochs of a run."""
TIMEOUT_SECONDS: Final = 300.0
"""For two processes."""
TERMINATE_SECONDS: Final = 40.0
"""In which torchrun ends its processes after SIGTERM."""


def loss_falls(context: CheckContext, entry: Model) -> str:
    """On eight items that are repeated, the loss falls."""
    losses = _overfit_test(context, entry).losses
    first, last = _first_and_last(losses)
    if not last < first:
        raise Failing(
            f"the loss goes from {first:.4g} to {last:.4g} in {counted(len(losses), 'step')}", next_step=_ADVICE
        )
    return f"{first:.4g} to {last:.4g} in {counted(len(losses), 'step')}"


def overfits(context: CheckContext, entry: Model) -> str:
    """It overfits eight items: within 400 steps at the recipe's learning rate the loss falls to 60 %."""
    losses = _overfit_test(context, entry).losses
    first, last = _first_and_last(losses)
    if not _overfitted(_overfit_test(context, entry)):
        raise Failing(
            f"the loss goes from {first:.4g} to {last:.4g} only, in {counted(len(losses), 'step')}", next_step=_ADVICE
        )
    return f"{first:.4g} to {last:.4g} in {counted(len(losses), 'step')}"


_ADVICE: Final = "look at the loss and the rate: zoo train MODEL --set recipe.lr=..."


def resume_exact(context: CheckContext, entry: Model) -> str:
    """Interrupted in the second epoch and resumed, a run ends with the same weights as an uninterrupted one."""
    _refuse_parts(entry)
    whole, halves = context.folder("whole"), context.folder("halves")
    _train(context, entry, whole)
    ended = _train(context, entry, halves, _Interrupt())
    if ended.outcome.status != "interrupted":
        raise Failing("the training did not stop when it was asked to", next_step="do not handle signals in a trainer")
    catalog = training_request(context, entry, _short, items=RUN_ITEMS).catalog
    resume(halves, catalog=catalog, say=_ignore)
    expected, actual = (_weights(folder) for folder in (whole, halves))
    if expected != actual:
        raise Failing(
            "the resumed run ends with other weights",
            next_step="draw random numbers from context.generator, and keep the trainer's own state in state_dict()",
        )
    return f"the same {len(expected):,} bytes"


def two_processes(context: CheckContext, entry: Model) -> str:
    """Two processes on this machine train replicas that are equal bit for bit, with equal metrics."""
    _refuse_parts(entry)
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
    code, stdout, stderr = _run_with_timeout(
        [*launch, "zoo.testing.two_processes", entry.full_name, context.source(entry)],
        environment | {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"},
    )
    lines = [line for line in stdout.splitlines() if line.startswith("{")]
    if code or not lines:
        errors = [line for line in stderr.splitlines() if "Error: " in line]
        raise Failing(f"two processes fail: {errors[0].strip() if errors else f'exit code {code}'}")
    result = json.loads(lines[-1])
    if not result["equal"]:
        raise Failing(
            f"the replicas differ in {', '.join(result['differing'][:3])}",
            next_step="every trainable parameter must belong to an optimiser that context.update steps",
        )
    return f"{counted(result['tensors'], 'tensor')} equal after {counted(result['steps'], 'step')}"


def _run_with_timeout(command: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str, str]:
    """Exit code, stdout and stderr; Failing after TIMEOUT_SECONDS, when all processes are ended."""
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        stdout, stderr = process.communicate(timeout=TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        raise Failing(
            f"two processes are not done after {TIMEOUT_SECONDS:.0f} s",
            next_step="call context.backward and context.update equally often in each process, or try an idle machine",
        ) from None
    finally:
        if process.poll() is None:
            process.terminate()  # torchrun then ends its processes, which have process groups of their own
            with suppress(subprocess.TimeoutExpired):
                process.wait(TERMINATE_SECONDS)
            process.kill()
    return process.returncode, stdout, stderr


# --- overfit tests and runs ---


def _overfit_test(context: CheckContext, entry: Model) -> OverfitTest:
    _refuse_parts(entry)
    return context.once(entry, "overfit test", lambda: learn(context, entry, steps=OVERFIT_STEPS, enough=_overfitted))


def _overfitted(overfit_test: OverfitTest) -> bool:
    first, last = _first_and_last(overfit_test.losses)
    return len(overfit_test.losses) >= MIN_STEPS and last <= OVERFIT_LOSS_RATIO * first


def _first_and_last(losses: Sequence[float]) -> tuple[float, float]:
    """The mean of the first two losses, and that of the last five."""
    return fmean(losses[:2]), fmean(losses[-LAST_LOSSES:])


def _short(recipe: Recipe) -> Recipe:
    """The model's own recipe, with its augmentation and dropout, for two short epochs."""
    return replace(recipe, epochs=2, batch_size=ITEMS, accumulate=1, precision="32", patience=None)


def _train(context: CheckContext, entry: Model, output: Path, *callbacks: Callback) -> Ended:
    request = training_request(context, entry, _short, items=RUN_ITEMS, output=output)
    return begin(request, context.card(entry), callbacks=callbacks, say=_ignore)


class _Interrupt(Callback):
    """Sends SIGINT after the first epoch; the training stops one step later."""

    def on_epoch_end(self, result: EpochResult) -> None:
        """Send SIGINT after epoch 1."""
        if result.epoch == 1:
            signal.raise_signal(signal.SIGINT)


def _weights(run: Path) -> bytes:
    """The tensors of the newest checkpoint."""
    newest = max((run / "checkpoints").glob("step-*"), key=lambda path: int(path.name.removeprefix("step-")))
    return (newest / "model.safetensors").read_bytes()


def _refuse_parts(entry: Model) -> None:
    if entry.spec.part_of:
        raise NotApplicable(f"it is trained as a part of {', '.join(entry.spec.part_of)}")


def _ignore(text: str) -> None:
    """Drops a message."""
