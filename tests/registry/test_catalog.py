"""What a name means: exact beats alias, zoo's own keep theirs, a clash is an error, an unknown one gets suggestions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import zoo
from zoo import Catalog, ImageInput, ModelSpec, TaskSpec, TrainerSpec, WeightsSpec
from zoo.api.errors import AmbiguousName, MissingExtra, PluginError, UnknownName, UsageError
from zoo.registry.discovery import BUILT_IN, installed_candidates
from zoo.registry.loader import Plugin


def model(name: str, *aliases: str, task: str = "staring") -> ModelSpec:
    return ModelSpec(
        name=name,
        task=task,
        builder="zoo.api.problem:Problem",
        trainer="slow",
        input=ImageInput(size=(8, 8)),
        aliases=aliases,
    )


def weights(model_name: str, tag: str) -> WeightsSpec:
    return WeightsSpec(model=model_name, tag=tag, licence="MIT", sha256="0" * 64, url="https://example.org/w")


def trainer(name: str, reference: str = "zoo.api.problem:Problem") -> TrainerSpec:
    return TrainerSpec(name=name, task="staring", trainer=reference)


OURS = Plugin(
    name="house",
    distribution=BUILT_IN,
    models=(model("resnet18", "resnet"), model("vgg11")),
    trainers=(trainer("slow"),),
    tasks=(TaskSpec(name="staring", task="types:SimpleNamespace"), TaskSpec(name="blinking", task="gone:Task")),
    weights=(weights("resnet18", "v1"), weights("resnet18", "v2")),
)
ACME = Plugin(
    name="acme",
    distribution="zoo-acme",
    version="1.0",
    models=(model("resnet18"), model("swift"), model("vgg", task="house/blinking")),
    trainers=(trainer("slow"), trainer("quick")),
    weights=(weights("house/resnet18", "v1"), weights("house/resnet18", "own"), weights("swift", "v1")),
)
BETA = Plugin(name="beta", distribution="zoo-beta", models=(model("swift"), model("resnet")))
BROKEN = Plugin(name="sad", distribution="zoo-sad", version="0.1", error="ValueError: no")


def catalog(*plugins: Plugin, prefer: tuple[str, ...] = ()) -> Catalog:
    return Catalog(plugins=plugins or (OURS, ACME, BROKEN), prefer=prefer)


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("vgg11", "house/vgg11"),
        ("house/vgg11", "house/vgg11"),
        ("resnet", "house/resnet18"),
        ("house/resnet", "house/resnet18"),
        ("acme/resnet18", "acme/resnet18"),
        ("swift", "acme/swift"),
    ],
)
def test_a_name_that_one_plugin_offers_is_meant(name: str, full: str) -> None:
    entry = catalog().model(name)
    assert (entry.full_name, entry.note) == (full, "")


def test_a_built_in_keeps_its_bare_name_and_says_so() -> None:
    entry = catalog().model("resnet18")
    assert entry.full_name == "house/resnet18"
    assert entry.note == "resnet18 is zoo's own house/resnet18; acme/resnet18 needs its full name"


def test_an_exact_name_beats_an_alias_and_says_so() -> None:
    entry = catalog(OURS, BETA).model("resnet")
    assert entry.full_name == "beta/resnet"
    assert entry.note == "resnet is beta/resnet; zoo's own house/resnet18 has it as an alias"


def test_a_clash_between_third_parties_is_an_error_that_names_both() -> None:
    with pytest.raises(AmbiguousName, match="the model 'swift' is offered by more than one plugin: acme/swift, beta/s"):
        catalog(OURS, ACME, BETA).model("swift")


def test_preferring_decides_between_third_parties_only() -> None:
    assert catalog(OURS, ACME, BETA, prefer=("beta", "acme")).model("swift").full_name == "beta/swift"
    assert catalog(OURS, ACME, BETA, prefer=("acme",)).model("resnet18").full_name == "house/resnet18"


def test_preferring_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_PREFER", "beta, acme")
    assert Catalog.discover([]).prefer == ("beta", "acme")


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("resnet81", "no model named 'resnet81'", "did you mean resnet18 or resnet?"),
        ("ResNet-18", "no model named 'ResNet-18'", "did you mean resnet18 or resnet?"),
        ("qqqq", "no model named 'qqqq'", "`zoo list` shows all 5"),
        ("gone/resnet18", "no model named 'gone/resnet18': no plugin 'gone'", "installed: acme, house, sad"),
        ("sad/x", "no model named 'sad/x': the plugin 'sad' (zoo-sad 0.1) is broken: ValueError: no", "see `zoo plug"),
        ("acme/swfit", "no model named 'acme/swfit'", "did you mean swift?"),
    ],
)
def test_an_unknown_name_gets_the_closest(name: str, message: str, hint: str) -> None:
    with pytest.raises(UnknownName) as caught:
        catalog().model(name)
    assert caught.value.message.startswith(message)
    assert caught.value.hint.startswith(hint)


def test_a_model_finds_its_own_plugins_trainer_first() -> None:
    assert catalog().trainer("slow", owner="acme").full_name == "acme/slow"
    assert catalog().trainer("slow", owner="house").full_name == "house/slow"
    assert catalog().trainer("slow").full_name == "house/slow"
    assert catalog().trainer("quick", owner="house").full_name == "acme/quick"
    assert catalog().trainer("house/slow", owner="acme").full_name == "house/slow"


def test_anybody_offers_weights_for_anybodys_models() -> None:
    assert [entry.full_name for entry in catalog().weights("house/resnet18")] == [
        "house/resnet18@acme/own",
        "house/resnet18@acme/v1",
        "house/resnet18@house/v1",
        "house/resnet18@house/v2",
    ]


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("resnet@v2", "house/resnet18@house/v2"),
        ("resnet18@own", "house/resnet18@acme/own"),
        ("resnet18@v1", "house/resnet18@house/v1"),
        ("resnet18@acme/v1", "house/resnet18@acme/v1"),
        ("acme/swift@v1", "acme/swift@acme/v1"),
    ],
)
def test_weights_are_named_by_model_and_tag(name: str, full: str) -> None:
    entry = catalog().weight(name)
    assert entry.full_name == full
    assert catalog().weight(entry.bare_name).full_name == full


def test_an_unknown_tag_names_those_there_are() -> None:
    with pytest.raises(UnknownName, match="no weights of resnet18 named 'v9'\nhouse/resnet18 has own, v1, v1, v2"):
        catalog().weight("resnet18@v9")
    with pytest.raises(UnknownName, match="there are no weights for the model house/vgg11"):
        catalog().weight("vgg11@v1")


@pytest.mark.parametrize(
    ("pattern", "task", "names"),
    [
        ("*", None, ["acme/resnet18", "acme/swift", "acme/vgg", "house/resnet18", "house/vgg11"]),
        ("resnet*", None, ["acme/resnet18", "house/resnet18"]),
        ("vgg", None, ["acme/vgg", "house/vgg11"]),
        ("house/*", None, ["house/resnet18", "house/vgg11"]),
        ("resnet", "staring", ["acme/resnet18", "house/resnet18"]),
        ("*", "blinking", ["acme/vgg"]),
        ("*", "house/blinking", ["acme/vgg"]),
        ("nothing", None, []),
    ],
)
def test_patterns_and_tasks_choose_models(pattern: str, task: str | None, names: list[str]) -> None:
    assert [entry.full_name for entry in catalog().models(pattern, task)] == names


def test_an_unknown_task_is_an_error() -> None:
    with pytest.raises(UnknownName, match="no task named 'stairing'\ndid you mean staring"):
        catalog().models(task="stairing")


def test_a_reference_is_resolved_on_use() -> None:
    entry = catalog().model("vgg11")
    assert catalog().load(entry, entry.spec.builder) is zoo.Problem
    with pytest.raises(AttributeError, match="has no attribute 'name'"):  # it is asked what it is called
        catalog().make_task("staring")


def test_a_reference_that_cannot_be_resolved_names_plugin_distribution_and_reference() -> None:
    with pytest.raises(PluginError) as caught:
        catalog().make_task("blinking")
    assert caught.value.message == (
        "the plugin 'house' (edgezoo) could not provide 'gone:Task' for house/blinking: "
        "ModuleNotFoundError: No module named 'gone'"
    )


def test_something_that_cannot_be_called_is_not_a_trainer() -> None:
    bad = Plugin(name="bad", distribution="zoo-bad", trainers=(trainer("slow", "sys:version"),), models=(model("m"),))
    with pytest.raises(PluginError, match=r"'sys:version' of the plugin 'bad' .* is not callable"):
        catalog(bad).make_trainer(catalog(bad).model("m"))


EXTRA = """
import zoo

def spec(name, extra):
    return zoo.ModelSpec(name=name, task="staring", builder="builtins:object", trainer="slow",
                         input=zoo.ImageInput(size=(8, 8)), extra=extra)

@zoo.hookimpl
def zoo_models():
    return [spec("lacking", "big"), spec("old", "newer"), spec("ready", "small"), spec("typo", "bgi")]
"""
METADATA = """Provides-Extra: big
Provides-Extra: newer
Provides-Extra: small
Requires-Dist: click
Requires-Dist: nonesuch>=1.0 ; extra == "big"
Requires-Dist: elsewhere ; extra == "big" and sys_platform == "no-such-platform"
Requires-Dist: click>=1000 ; extra == "newer"
Requires-Dist: click>=7 ; extra == "small"
"""


@pytest.fixture
def with_extras(install_plugin: Callable[..., Path]) -> Catalog:
    install_plugin("extras", EXTRA, distribution="zoo-extras", metadata=METADATA)
    return Catalog.discover([one for one in installed_candidates() if one.name == "extras"])


def test_a_missing_extra_is_named_with_the_line_that_installs_it(with_extras: Catalog) -> None:
    entry = with_extras.model("lacking")
    assert with_extras.missing(entry) == ("nonesuch>=1.0",)
    with pytest.raises(MissingExtra, match=r"extras/lacking needs nonesuch>=1\.0, not installed here") as caught:
        with_extras.load(entry, entry.spec.builder)
    assert caught.value.hint == "pip install 'zoo-extras[big]'"


def test_too_old_is_missing_and_new_enough_is_not(with_extras: Catalog) -> None:
    assert with_extras.missing(with_extras.model("old")) == ("click>=1000",)
    ready = with_extras.model("ready")
    assert with_extras.missing(ready) == ()
    assert with_extras.load(ready, ready.spec.builder) is object


def test_an_extra_that_the_distribution_does_not_declare_is_the_plugins_mistake(with_extras: Catalog) -> None:
    with pytest.raises(PluginError, match="zoo-extras declares no extra 'bgi'"):
        with_extras.missing(with_extras.model("typo"))


# --- a plugin that was renamed ---

MOVED = Plugin(
    name="new_acme",
    distribution="zoo-acme",
    former_names=("old_acme",),
    models=(model("swift", "quick"),),
    trainers=(trainer("slow"),),
    tasks=(TaskSpec(name="napping", task="collections:OrderedDict"),),
    weights=(weights("swift", "v1"),),
)
FOREIGN = Plugin(name="beta", distribution="zoo-beta", weights=(weights("old_acme/swift", "v2"),))


def test_the_former_name_of_a_plugin_means_the_plugin_wherever_a_name_is_read() -> None:
    renamed = catalog(OURS, MOVED, FOREIGN)
    assert renamed.model("old_acme/swift").full_name == "new_acme/swift"
    assert renamed.model("old_acme/quick").full_name == "new_acme/swift"
    assert renamed.task("old_acme/napping").full_name == "new_acme/napping"
    assert renamed.trainer("old_acme/slow").full_name == "new_acme/slow"
    assert renamed.weight("old_acme/swift@old_acme/v1").full_name == "new_acme/swift@new_acme/v1"
    assert renamed.plugin("old_acme") is MOVED
    assert [entry.full_name for entry in renamed.models("old_acme/*")] == ["new_acme/swift"]


def test_weights_that_others_offer_for_the_former_name_are_weights_of_the_renamed_model() -> None:
    renamed = catalog(MOVED, FOREIGN)
    assert renamed.weight("swift@v2").full_name == "new_acme/swift@beta/v2"
    assert [entry.name for entry in renamed.weights("new_acme/swift")] == ["v2", "v1"]


def test_an_unknown_name_of_a_renamed_plugin_is_as_unknown_as_before() -> None:
    with pytest.raises(UnknownName, match="no model named 'old_acme/swifd'") as error:
        catalog(MOVED).model("old_acme/swifd")
    assert error.value.hint == "did you mean swift?"
    gone = Plugin(name="new_acme", distribution="zoo-acme", former_names=("old_acme",), error="ValueError: no")
    with pytest.raises(UnknownName, match=r"the plugin 'new_acme' \(zoo-acme\) is broken: ValueError: no"):
        catalog(gone).model("old_acme/swift")


def test_a_plugin_that_has_a_name_beats_one_that_had_it() -> None:
    taken = Plugin(name="old_acme", distribution="zoo-other", models=(model("swift"),))
    both = catalog(MOVED, taken)
    assert both.model("old_acme/swift").plugin is taken
    assert both.model("new_acme/swift").plugin is MOVED


def test_a_printed_name_means_that_very_model() -> None:
    offers = catalog(OURS, ACME, BETA)
    printed = {entry.full_name: entry.bare_name for entry in offers.models()}
    assert printed["house/resnet18"] == "resnet18"
    assert printed["acme/resnet18"] == "acme/resnet18"
    assert (printed["acme/swift"], printed["beta/swift"]) == ("acme/swift", "beta/swift")
    assert all(offers.model(bare).full_name == full for full, bare in printed.items())
    preferred = catalog(OURS, ACME, BETA, prefer=("beta",))
    assert [preferred.model(name).bare_name for name in ("acme/swift", "beta/swift")] == ["acme/swift", "swift"]


def test_a_printed_name_means_those_very_weights() -> None:
    offers = catalog(OURS, ACME, BETA)
    printed = {entry.full_name: entry.bare_name for entry in offers.weights()}
    assert printed == {
        "house/resnet18@house/v1": "resnet18@v1",
        "house/resnet18@house/v2": "resnet18@v2",
        "house/resnet18@acme/v1": "resnet18@acme/v1",
        "house/resnet18@acme/own": "resnet18@own",
        "acme/swift@acme/v1": "acme/swift@v1",
    }
    assert all(offers.weight(bare).full_name == full for full, bare in printed.items())


def test_weights_of_a_model_that_nobody_offers_are_known() -> None:
    orphans = catalog(ACME).without_model()
    assert [entry.full_name for entry in orphans] == ["house/resnet18@acme/own", "house/resnet18@acme/v1"]
    assert catalog(OURS, ACME).without_model() == ()


def test_a_model_takes_any_trainer_of_its_task() -> None:
    offers = catalog(OURS, ACME)
    entry = offers.model("vgg11")
    assert offers.with_trainer(entry, "") is entry
    assert offers.trainer_of(offers.with_trainer(entry, "quick")).full_name == "acme/quick"
    assert offers.trainer_of(offers.with_trainer(entry, "acme/slow")).full_name == "acme/slow"
    with pytest.raises(UsageError) as caught:
        offers.with_trainer(offers.model("vgg"), "quick")
    assert caught.value.message == "the trainer acme/quick is for staring, not for house/blinking, the task of acme/vgg"
    with pytest.raises(UnknownName):
        offers.with_trainer(entry, "quicker")
