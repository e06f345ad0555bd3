"""What every way of training must keep, shown on a few items of the data.  [torch]"""

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

from zoo.api.recipe import Recipe
from zoo.api.specs import ModelSpec
from zoo.registry.name_resolution import RegistryEntry
from zoo.testing.check_context import CheckContext
from zoo.testing.overfit import ITEMS, OverfitTest, intended, learn
from zoo.testing.score import Failing, NotApplicable
from zoo.training.events import Callback, EpochResult
from zoo.training.resume import resume
from zoo.training.run_training import Ended
from zoo.training.start import begin

Model = RegistryEntry[ModelSpec]
STEPS: Final = 400
"""A lesson whose loss has not fallen far enough by then has failed."""
AT_LEAST: Final = 20
"""Steps, so that a fall is no accident."""
WINDOW: Final = 5
LEARNT: Final = 0.6
"""Of the first loss."""
RUN_ITEMS: Final = 3 * ITEMS
"""Entries of the dataset in each of the two epochs of a run."""
PATIENCE: Final = 300.0
"""Seconds for two processes."""
GRACE: Final = 40.0
"""Seconds in which torchrun ends them when it is told to."""


def loss_falls(context: CheckContext, entry: Model) -> str:
    """Seeing eight items again and again, the loss falls."""
    losses = _lesson(context, entry).losses
    first, last = _ends(losses)
    if not last < first:
        raise Failing(f"the loss goes from {first:.4g} to {last:.4g} in {len(losses)} steps", next_step=_ADVICE)
    return f"{first:.4g} to {last:.4g} in {len(losses)} steps"


def overfits(context: CheckContext, entry: Model) -> str:
    """Eight items are learnt by heart: within 400 steps at the recipe's rate the loss falls to six tenths."""
    losses = _lesson(context, entry).losses
    first, last = _ends(losses)
    if not _learnt(_lesson(context, entry)):
        raise Failing(f"the loss goes from {first:.4g} to {last:.4g} only, in {len(losses)} steps", next_step=_ADVICE)
    return f"{first:.4g} to {last:.4g} in {len(losses)} steps"


_ADVICE: Final = "look at the loss and the rate: zoo train MODEL --set recipe.lr=..."


def resume_exact(context: CheckContext, entry: Model) -> str:
    """Interrupted in the second epoch and resumed, a run ends with the same weights as an uninterrupted one."""
    _not_a_part(entry)
    whole, halves = context.folder("whole"), context.folder("halves")
    _train(context, entry, whole)
    ended = _train(context, entry, halves, _Interrupt())
    if ended.outcome.status != "interrupted":
        raise Failing("the training did not stop when it was asked to", next_step="do not catch signals in a trainer")
    catalog = intended(context, entry, _short, items=RUN_ITEMS).catalog
    resume(halves, catalog=catalog, say=_ignore)
    one, other = (_weights(place) for place in (whole, halves))
    if one != other:
        raise Failing(
            "the resumed run ends with other weights",
            next_step="draw random numbers from context.generator, and keep the trainer's own state in state_dict()",
        )
    return f"the same {len(one):,} bytes"


def two_processes(context: CheckContext, entry: Model) -> str:
    """Two processes on this machine train replicas that are equal bit for bit, and agree on the metrics."""
    _not_a_part(entry)
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
    code, said, complained = _within_patience(
        [*launch, "zoo.testing.two_processes", entry.full_name, context.source(entry)],
        environment | {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"},
    )
    lines = [line for line in said.splitlines() if line.startswith("{")]
    if code or not lines:
        errors = [line for line in complained.splitlines() if "Error: " in line]
        raise Failing(f"two processes fail: {errors[0].strip() if errors else f'exit code {code}'}")
    found = json.loads(lines[-1])
    if not found["equal"]:
        raise Failing(
            f"the replicas differ in {', '.join(found['differing'][:3])}",
            next_step="let every parameter that learns go through context.update of an optimiser of yours",
        )
    return f"{found['tensors']} tensors equal after {found['steps']} steps"


def _within_patience(command: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str, str]:
    """Exit code, stdout and stderr; Failing, and nobody is left behind, where one process waits for the other."""
    running = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        said, complained = running.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        raise Failing(
            f"two processes are not done after {PATIENCE:.0f} s",
            next_step="call context.backward and context.update equally often in each, or try an idle machine",
        ) from None
    finally:
        if running.poll() is None:
            running.terminate()  # torchrun then ends its processes, which live in groups of their own
            with suppress(subprocess.TimeoutExpired):
                running.wait(GRACE)
            running.kill()
    return running.returncode, said, complained


# --- lessons and runs ---


def _lesson(context: CheckContext, entry: Model) -> OverfitTest:
    _not_a_part(entry)
    return context.once(entry, "lesson", lambda: learn(context, entry, steps=STEPS, enough=_learnt))


def _learnt(overfit_test: OverfitTest) -> bool:
    first, last = _ends(overfit_test.losses)
    return len(overfit_test.losses) >= AT_LEAST and last <= LEARNT * first


def _ends(losses: Sequence[float]) -> tuple[float, float]:
    """The mean of the first two losses, and that of the last five."""
    return fmean(losses[:2]), fmean(losses[-WINDOW:])


def _short(recipe: Recipe) -> Recipe:
    """The model's own recipe, chance included, for two short epochs."""
    return replace(recipe, epochs=2, batch_size=ITEMS, accumulate=1, precision="32", patience=None)


def _train(context: CheckContext, entry: Model, place: Path, *callbacks: Callback) -> Ended:
    intent = intended(context, entry, _short, items=RUN_ITEMS, place=place)
    return begin(intent, context.card(entry), callbacks=callbacks, say=_ignore)


class _Interrupt(Callback):
    """Ctrl-C after the first epoch, which is acted upon a step later."""

    def on_epoch_end(self, result: EpochResult) -> None:
        """Ask the process to stop."""
        if result.epoch == 1:
            signal.raise_signal(signal.SIGINT)


def _weights(place: Path) -> bytes:
    """The tensors of the newest checkpoint."""
    newest = max((place / "checkpoints").glob("step-*"), key=lambda path: int(path.name.removeprefix("step-")))
    return (newest / "model.safetensors").read_bytes()


def _not_a_part(entry: Model) -> None:
    if entry.spec.part_of:
        raise NotApplicable(f"it is trained as a part of {', '.join(entry.spec.part_of)}")


def _ignore(text: str) -> None:
    """A sentence that nobody hears."""
