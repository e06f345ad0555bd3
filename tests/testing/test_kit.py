"""The kit finds what it says it finds: a plugin with one sound model and one for every fault."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zoo.registry.catalog import Catalog
from zoo.testing import GROUPS, Result, Score, check_plugin
from zoo.testing.check_context import CheckContext
from zoo.testing.score import Failing
from zoo.testing.trainer import loss_falls, overfits, two_processes

SOURCE = """
import zoo
{top}
MODELS = ("sound", "leaky", "random", "unused", "stubborn", "forgetful", "infinite", "wide",
          "seeded", "still", "waived")
INPUT = zoo.ImageInput(size=(28, 28), channels=1, mean=(0.13,), std=(0.31,))
SAME = zoo.Recipe(lr=0.01, channels_last=False)

@zoo.hookimpl
def zoo_models():
    for name in MODELS:
        yield zoo.ModelSpec(
            name=name, task="image-classification", builder=f"{{__name__}}:{{name}}", trainer="classification",
            input=INPUT, recipes={{"default": SAME}}, licence="MIT", parameters=51 if name == "stubborn" else 170,
            conformance={{"parameters": "it is a secret"}} if name == "waived" else {{}})

def network(num_classes, *, change=None):
    import torch
    from torch import nn
    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(16, num_classes)
            if change == "unused":
                self.unused = nn.Linear(2, 2)
            if change == "still":
                for parameter in self.parameters():
                    parameter.requires_grad_(True)
            self.secret = torch.randn(1)
        def forward(self, image):
            x = nn.functional.adaptive_avg_pool2d(image, 4).flatten(1)
            if change == "leaky":
                x = x - x.mean(0)
            if change == "random":
                x = x + torch.rand(())
            if change == "forgetful":
                x = x * self.secret
            if change == "infinite":
                x = x / 0.0
            if change == "still":
                return self.head(x).detach() + 0.0 * self.head.bias.sum() + 0.0 * self.head.weight.sum()
            answer = self.head(x)
            return answer[:, :5] if change == "wide" else answer
    return Network()

def sound(*, num_classes): return network(num_classes)
def waived(*, num_classes): return network(num_classes)
def stubborn(*, num_classes): return network(num_classes)
def leaky(*, num_classes): return network(num_classes, change="leaky")
def random(*, num_classes): return network(num_classes, change="random")
def unused(*, num_classes): return network(num_classes, change="unused")
def forgetful(*, num_classes): return network(num_classes, change="forgetful")
def infinite(*, num_classes): return network(num_classes, change="infinite")
def wide(*, num_classes): return network(num_classes, change="wide")
def still(*, num_classes): return network(num_classes, change="still")
def seeded(*, num_classes):
    import torch
    torch.manual_seed(7)
    return network(num_classes)
"""


@pytest.fixture
def faulty(install_plugin: Callable[..., Path]) -> None:
    """The plugin `faulty`, installed."""
    install_plugin("faulty", SOURCE.format(top=""), distribution="zoo-faulty")


def found(score: Score, *, check: str = "", status: str = "") -> list[Result]:
    return [one for one in score.results if check in ("", one.check) and status in ("", one.status)]


@pytest.mark.usefixtures("faulty")
def test_a_sound_model_passes_and_the_score_says_what_was_left_out() -> None:
    score = check_plugin("faulty", groups=("declaration", "model"), models="sound")
    assert found(score, status="failed") == []
    assert (score.count("passed"), score.count("skipped"), score.holds) == (16, 0, True)
    assert score.left_out == (
        "10 of 11 models: only those that match 'sound'; zoo plugins check faulty --models '*' checks all",
        "the groups trainer, weights, export, runtime, callback: not asked for",
    )


@pytest.mark.slow
@pytest.mark.usefixtures("faulty")
@pytest.mark.parametrize(
    ("name", "check", "words"),
    [
        ("leaky", "batch_independence", "when other items are in the batch"),
        ("random", "determinism", "another output the second time"),
        ("unused", "gradients", "2 of 4 parameters get none: unused.weight, unused.bias"),
        ("stubborn", "parameters", "it has 170, its spec says 51"),
        ("forgetful", "state_round_trip", "logits differs after loading"),
        ("infinite", "finite", "logits is not finite"),
        ("wide", "shapes", "logits is [2, 5], the signature says ['batch', 10]"),
        ("seeded", "seed", "two seeds give the same parameters"),
        ("still", "gradients", "2 of 2 parameters get none"),
    ],
)
def test_every_fault_is_found_by_its_check(name: str, check: str, words: str) -> None:
    (result,) = found(check_plugin("faulty", groups=("model",), models=f"faulty/{name}"), check=check)
    assert (result.status, result.subject) == ("failed", f"faulty/{name}")
    assert words in result.detail
    assert result.next_step


@pytest.mark.usefixtures("faulty")
def test_a_declared_switch_skips_its_check_and_shows_the_reason() -> None:
    (result,) = found(check_plugin("faulty", groups=("model",), models="waived"), check="parameters")
    assert (result.status, result.detail) == ("skipped", "the plugin declares that it does not apply: it is a secret")


def test_a_model_whose_extra_is_missing_is_skipped_with_the_line_that_installs_it(
    install_plugin: Callable[..., Path],
) -> None:
    extra = "Provides-Extra: far\nRequires-Dist: faraway>=2; extra == 'far'\n"
    install_plugin("needy", PLAIN.format(top="", field="extra='far'"), metadata=extra)
    score = check_plugin("needy", groups=("declaration", "model", "trainer"))
    assert {one.status for one in score.results if one.group != "declaration"} == {"skipped"}
    (result,) = found(score, check="two_processes")
    assert result.detail == "it needs faraway>=2, not installed here"
    assert result.next_step == "pip install 'zoo-test[far]'"


@pytest.mark.usefixtures("faulty")
def test_a_model_that_learns_nothing_fails_both_overfit_tests() -> None:
    catalog = Catalog.discover()
    context = CheckContext(catalog, catalog.plugin("faulty"))
    for check in (loss_falls, overfits):
        with pytest.raises(Failing, match="the loss goes from"):
            check(context, catalog.model("still"))
        if check is overfits:
            assert check(context, catalog.model("sound")).endswith("steps")


@pytest.mark.usefixtures("faulty")
def test_two_processes_that_wait_for_each_other_are_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.testing.trainer.TIMEOUT_SECONDS", 0.1)
    catalog = Catalog.discover()
    context = CheckContext(catalog, catalog.plugin("faulty"))
    with pytest.raises(Failing, match="two processes are not done after 0 s") as failing:
        two_processes(context, catalog.model("sound"))
    assert "equally often" in failing.value.next_step


DECLARED = {
    "heavy": ("import torch", "", "torch_free", "it imports torch when it is loaded"),
    "nobody": ("", "task='image-divination'", "names", "no task named 'image-divination'"),
    "foreign": ("", "trainer='language-model'", "names", "is for image-classification, its trainer language-model for"),
    "absent": ("", "adapter='zoo_absent:nothing'", "references", "No module named 'zoo_absent'"),
    "endless": ("", "gflops=float('inf')", "json_round_trip", "one is no JSON"),
    "free": ("", "licence=' '", "licences", "no licence is named for one"),
    "misspelt": ("", "conformance={'overfit': 'why'}", "switches", "declares 'overfit'; the checks are"),
    "mute": ("", "conformance={'overfits': ''}", "switches", "declares 'overfits' without a reason"),
}
PLAIN = """
import zoo
{top}
@zoo.hookimpl
def zoo_models():
    fields = dict(name="one", task="image-classification", builder=f"{{__name__}}:one", trainer="classification",
                  input=zoo.ImageInput(size=(28, 28)), licence="MIT")
    yield zoo.ModelSpec(**(fields | dict({field})))

def one(*, num_classes): ...
"""


@pytest.mark.parametrize("name", DECLARED)
def test_a_false_declaration_is_found_by_its_check(name: str, install_plugin: Callable[..., Path]) -> None:
    top, field, check, words = DECLARED[name]
    install_plugin(name, PLAIN.format(top=top, field=field))
    failed = found(check_plugin(name, groups=("declaration",)), status="failed")
    assert [one.check for one in failed] == [check]
    assert words in failed[0].detail


def test_a_broken_plugin_fails_to_load_and_nothing_else_is_asked(install_plugin: Callable[..., Path]) -> None:
    install_plugin("broken", "raise RuntimeError('no')")
    score = check_plugin("broken")
    assert found(score, check="loads")[0].detail == "RuntimeError: no"
    assert {one.group for one in score.results} == {"declaration"}
    assert score.left_out == ("everything but the declaration: the plugin is broken",)
    assert not score.holds


@pytest.mark.usefixtures("faulty")
def test_the_command_prints_a_score_and_exits_with_one(zoo_command: Callable[..., Any]) -> None:
    said = zoo_command("plugins", "check", "faulty", "--models", "unused", "--group", "model")
    assert said.code == 1
    assert "gradients of faulty/unused: 2 of 4 parameters get none" in said.out
    assert "faulty (zoo-faulty 1.0): 7 passed, 2 failed, 0 skipped" in said.out
    record = zoo_command("plugins", "check", "faulty", "--models", "sound", "--group", "model", "--json")
    assert (record.code, record.json["holds"], len(record.json["results"])) == (0, True, 9)
    assert zoo_command("plugins", "check", "fauty").code == 2
    assert (
        "no model of the plugin 'faulty' matches 'x*'"
        in zoo_command("plugins", "check", "faulty", "--models", "x*").err
    )


@pytest.mark.slow
def test_the_class_is_a_whole_test_file_and_pytest_is_left_alone(tmp_path: Path) -> None:
    test = tmp_path / "test_conformance.py"
    test.write_text(
        "from zoo.testing import Conformance\n\n\nclass TestCnn(Conformance):\n    plugin = 'cnn'\n"
        "    models = 'convnet'\n    groups = ('declaration', 'model', 'weights')\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(test)]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "20 passed" in done.stdout, done.stdout
    ask = "import json, sys, zoo.testing; print(json.dumps([n for n in ('pytest', 'torch') if n in sys.modules]))"
    new = subprocess.run([sys.executable, "-c", ask], env=environment, capture_output=True, text=True, check=True)
    assert json.loads(new.stdout) == []


def test_the_groups_are_those_of_the_contract() -> None:
    assert GROUPS == ("declaration", "model", "trainer", "weights", "export", "runtime", "callback")


TAGS = """
import zoo

@zoo.hookimpl
def zoo_tasks():
    room = "zoo.tasks.image_classification"
    parts = dict(
        tensors=f"{{__name__}}:Tensors", graphs=f"{{__name__}}:Graphs", answers=f"{room}.task:ClassificationAnswers",
        data="zoo:TextData" if {texts} else f"{room}.task:ClassificationData", device=f"{room}.device:read",
        monitor=zoo.Monitor(metric="top1", mode="max"))
    yield zoo.TaskSpec(name="odd", default_data="digits", data_licence="x", tags=zoo.TaskTags({tags}), **parts)

@zoo.hookimpl
def zoo_models():
    grey = zoo.ImageInput(size=(28, 28), channels=1, mean=(0.13,), std=(0.31,))
    yield zoo.ModelSpec(name="net", task="tagged/odd", builder=f"{{__name__}}:net", trainer="tagged/plain", input=grey)

@zoo.hookimpl
def zoo_trainers():
    yield zoo.TrainerSpec(name="plain", task="tagged/odd", trainer="zoo:SingleModelTrainer")

def net(*, num_classes):
    from torch import nn
    return nn.Sequential(nn.Flatten(), nn.Linear(784, num_classes))

def Tensors():
    from zoo.tasks.image_classification.tensors import ClassificationTensors
    class Ordered(ClassificationTensors):
        def dataset(self, card, split, problem):
            found = super().dataset(card, split, problem)
            if {order}:
                found.order = lambda batch_size, generator: range(len(found))
            return found
    return Ordered()

def Graphs():
    from torch import nn
    from zoo.tasks.image_classification.tensors import ClassificationGraphs
    class Sure(ClassificationGraphs):
        def postprocess(self, problem):
            found = super().postprocess(problem)
            if {margin}:
                found.margin = lambda logits: logits
            return found
    return Sure()
"""


def tagged(install_plugin: Callable[..., Path], *, check: str, **fields: object) -> Result:
    """What the check says of a plugin with these tags and methods."""
    given = {"texts": False, "tags": "", "order": False, "margin": False, **fields}
    source = TAGS
    for name, value in given.items():
        source = source.replace(f"{{{name}}}", str(value))
    install_plugin("tagged", source.replace("{{", "{").replace("}}", "}"))
    (result,) = found(check_plugin("tagged", groups=("declaration", "model"), models="tagged/net"), check=check)
    return result


@pytest.mark.parametrize(
    ("tags", "texts", "words"),
    [
        ("pairwise=True", False, "answers 'zoo.tasks.image_classification.task:ClassificationAnswers' has no compare"),
        ("reads_text=True", False, "has no read_text, which the tag reads_text promises"),
        ("", True, "has read_text, which nothing calls without the tag reads_text: TaskTags(reads_text=True)"),
    ],
)
def test_a_part_and_its_tags_must_say_the_same(
    tags: str, texts: bool, words: str, install_plugin: Callable[..., Path]
) -> None:
    result = tagged(install_plugin, check="references", tags=tags, texts=texts)
    assert (result.status, words in result.detail) == ("failed", True), result.detail


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"tags": "ordered=True"}, "what tensors.dataset gives has no order, and the tag ordered is True"),
        ({"order": True}, "what tensors.dataset gives has order, and the tag ordered is False"),
        ({"tags": "has_margin=True"}, "what graphs.postprocess gives has no margin, and the tag has_margin is True"),
        ({"margin": True}, "what graphs.postprocess gives has margin, and the tag has_margin is False"),
        ({"tags": "epoch_figure=True"}, "what tensors.metrics gives has no epoch_picture"),
        ({"tags": "adjustable=True"}, "what tensors.dataset gives has no adjusted"),
    ],
)
def test_what_a_part_makes_and_its_tags_must_say_the_same(
    fields: dict[str, object], words: str, install_plugin: Callable[..., Path]
) -> None:
    result = tagged(install_plugin, check="tags", **fields)
    assert (result.status, words in result.detail) == ("failed", True), result.detail


def test_tags_that_say_what_is_there_pass(install_plugin: Callable[..., Path]) -> None:
    result = tagged(install_plugin, check="tags", tags="ordered=True, has_margin=True", order=True, margin=True)
    assert (result.status, result.detail) == ("passed", "has_margin, epoch_figure, ordered, adjustable")
