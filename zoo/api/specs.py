"""What plugins declare: plain frozen data whose heavy parts are references, "module:object"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from zoo.api.errors import warn_deprecated
from zoo.api.problem import Input, Json
from zoo.api.recipe import Recipe

Reference = str
"""An importable object in entry-point grammar, "package.module:object", imported on first use."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_]*")
TASK_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
QUALIFIED = re.compile(r"([a-z0-9][a-z0-9_]*/)?[a-z0-9][a-z0-9_-]*")
_REFERENCE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


def is_name(value: str) -> bool:
    """True for a valid name of a plugin, a model or an alias: lower case letters, digits and underscores."""
    return _NAME.fullmatch(value) is not None


def check_pattern(pattern: re.Pattern[str], value: str, *, what: str, form: str) -> None:
    """ValueError that shows the form for a value that has another."""
    if not pattern.fullmatch(value):
        raise ValueError(f"{what} is {value!r}; it must look like {form}")


def _check_name(value: str, *, what: str) -> None:
    check_pattern(_NAME, value, what=what, form="'resnet18': lower case letters, digits and underscores")


def check_reference(value: str | None, *, what: str) -> None:
    """ValueError for what is no reference; None is none."""
    if value is not None:
        check_pattern(_REFERENCE, value, what=what, form="'package.module:object'")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSpec:
    """What an architecture declares about its export; the defaults suit most.

    Examples:
        >>> zoo.ExportSpec(not_exportable="it plays dice in eval mode").waivers
        {}
    """

    not_exportable: str = ""
    """Why this model cannot be exported; empty when it can."""
    exporter: Literal["dynamo", "torchscript"] | None = None
    """Deprecated: it has no effect."""
    declared_arithmetic: tuple[str, ...] = ()
    """Outputs whose dimensions are allowed to be computed from input dimensions."""
    waivers: Mapping[str, str] = field(default_factory=dict)
    """Output name to the reason why the rule cannot hold for it; every report shows it."""
    waiver_bounds: Mapping[str, float] = field(default_factory=dict)
    """Output name to the largest relative error a waived output may still have."""

    def __post_init__(self) -> None:
        if self.exporter is not None:
            message = "ExportSpec.exporter has no effect and will be removed: every model is exported with torch.export"
            warn_deprecated(f"{message}; leave it out", stacklevel=4)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """One architecture of one size for one task.

    Examples:
        >>> spec = zoo.ModelSpec(
        ...     name="mlp",
        ...     task="image-classification",
        ...     builder="zoo_mlp.model:mlp",
        ...     trainer="classification",
        ...     input=zoo.ImageInput(size=(28, 28), channels=1),
        ... )
        >>> spec.needs
        ('num_classes',)
    """

    name: str
    """Unique in its plugin; with the plugin's name before it the full name, "torchvision/resnet18"."""
    task: str
    """A task's name, bare or full."""
    builder: Reference
    """Returns an nn.Module; called with the facts that `needs` names, as keywords.  Where it has the keywords
    `in_chans` and `global_pool`, those of `create_model` are passed to it; else the built network is changed."""
    trainer: str
    """A trainer's name: this plugin's own comes first, then those of other plugins; or a full name."""
    input: Input
    """Its input, at its usual size."""
    needs: tuple[str, ...] = ("num_classes",)
    """Which facts of the `Problem` the builder takes, by name."""
    adapter: Reference | None = None
    """(model, problem) -> the module that is exported; None exports the model itself."""
    features: Reference | None = None
    """(model, problem) -> the `FeatureMaps` of `create_model(features_only=True)`; None watches the model's modules."""
    part_of: Mapping[str, Reference] = field(default_factory=dict)
    """Models whose trained parameters hold this one's, each with (state_dict, problem) -> this one's (state_dict,
    problem): a run of such a model is as good as one of this, `vae_decoder@runs/vae/...`."""
    head: tuple[str, ...] = ()
    """Prefixes of the state_dict that are initialised anew when the classes differ, and that are never frozen."""
    recipes: Mapping[str, Recipe] = field(default_factory=dict)
    """By embedded data name ("digits"), or "default" (from scratch) and "finetune" (from weights)."""
    family: str = ""
    """The family it belongs to, as `zoo list --family` takes it: "resnet"; empty means the plugin's name."""
    aliases: tuple[str, ...] = ()
    """Other names; an exact name of any plugin beats them."""
    takes_over: Mapping[str, int] = field(default_factory=dict)
    """Aliases of other models that mean this one in a training on pictures of at most so many pixels a side:
    {"resnet": 64} makes `zoo train resnet` take this model for small pictures."""
    yields: int = 0
    """Of zoo's own plugins with a model of this name, the one with the smallest number here keeps the bare name: a
    catalogue has 1, and one whose models other catalogues have too has 2."""
    extra: str | None = None
    """The optional-dependency group of the plugin's own distribution that this model needs."""
    sources: Reference | None = None
    """(text) -> zoo.WeightsSource | None: what a text means that is no run, tag or file of zoo's, as another library's
    folder, or a name on its hub; imports no torch."""
    not_available: str = ""
    """Why this model is listed and cannot be used; empty when it can."""
    from_weights: str = ""
    """Why this model can only be built from weights; empty when it can be built without."""
    summary: str = ""
    """What it is, in half a line."""
    paper: str = ""
    """Its publication: authors, title, venue, year."""
    licence: str = ""
    """SPDX name of the licence of the architecture's code."""
    parameters: int | None = None
    """Number of parameters at the default number of classes."""
    gflops: float | None = None
    """Billions of multiply-adds for one input of the default size."""
    export: ExportSpec = field(default_factory=ExportSpec)
    """What it declares about its export."""
    conformance: Mapping[str, str] = field(default_factory=dict)
    """Checks of the conformance kit that do not apply, each with the reason, which is shown."""

    def __post_init__(self) -> None:
        _check_name(self.name, what="a model's name")
        for alias in self.aliases:
            _check_name(alias, what=f"an alias of {self.name}")
        check_pattern(QUALIFIED, self.task, what=f"the task of {self.name}", form="'image-classification'")
        check_pattern(QUALIFIED, self.trainer, what=f"the trainer of {self.name}", form="'classification'")
        check_reference(self.builder, what=f"the builder of {self.name}")
        check_reference(self.adapter, what=f"the adapter of {self.name}")
        check_reference(self.features, what=f"the feature maps of {self.name}")
        check_reference(self.sources, what=f"the sources of {self.name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """The metric that chooses the best checkpoint.

    Examples:
        >>> zoo.Monitor(metric="top1", mode="max").chance is None
        True
    """

    metric: str
    """A name that `Metrics.compute` gives."""
    mode: Literal["max", "min"]
    """Whether the larger or the smaller value is better."""
    chance: float | None = None
    """What a model reaches that has learnt nothing: a training that gets no further is said to have failed.  None
    where that depends on the data; then 0 in every epoch is such a score where larger is better."""


OPTIONAL_RECIPE = ("augment_policy", "mixup", "cutmix", "sampling", "class_weights", "teacher")
"""What only some trainers can do, by the names of the recipe's fields, and --teacher."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainerSpec:
    """One way to train the models of a task.

    Examples:
        >>> numbers = {"most": 0.3}
        >>> spec = zoo.TrainerSpec(name="mixup", task="image-classification", trainer="mixup:Mixup", options=numbers)
        >>> spec.supports
        ()
    """

    name: str
    """Unique in its plugin."""
    task: str
    """The task's name, bare or full."""
    trainer: Reference
    """A callable without arguments that returns a `zoo.Trainer`."""
    options: Mapping[str, float | int | str | bool] = field(default_factory=dict)
    """Names and defaults of the numbers that only this trainer has; recipes may set them."""
    monitor: Monitor | None = None
    """The metric that chooses the best checkpoint, where it is not the task's own."""
    supports: tuple[str, ...] = ()
    """Of `OPTIONAL_RECIPE`: what of a recipe this trainer uses; asking another one for it is an error."""
    extra: str | None = None
    """As in `ModelSpec`."""
    summary: str = ""
    """What it minimises, in half a line."""

    def __post_init__(self) -> None:
        check_pattern(TASK_NAME, self.name, what="a trainer's name", form="'classification'")
        if unknown := [name for name in self.supports if name not in OPTIONAL_RECIPE]:
            known = ", ".join(OPTIONAL_RECIPE)
            raise ValueError(f"{self.name} supports {', '.join(unknown)}; what can be supported is {known}")
        check_pattern(QUALIFIED, self.task, what=f"the task of {self.name}", form="'image-classification'")
        check_reference(self.trainer, what=f"the trainer of {self.name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsSpec:
    """One set of trained parameters for one model: where its file is, its hash, its metrics.

    Examples:
        >>> file = "zoo_mine:weights/cnn.safetensors"
        >>> stored = {"resource": file, "sha256": "0" * 64, "size": 1_700_000}
        >>> spec = zoo.WeightsSpec(model="cnn", tag="mine", licence="Apache-2.0", **stored)
        >>> spec.tag
        'mine'
    """

    model: str
    """The model's name; bare for a model of this plugin, full for one of another."""
    tag: str
    """Unique for the model in this plugin: `digits` in cnn@digits."""
    licence: str
    """SPDX name, or a sentence where none fits."""
    sha256: str = ""
    """Hex digest of the file; a publisher's short prefix of at least eight digits is accepted.  It may be left out for
    a file on the hub, which states the digest of what it gives."""
    url: str = ""
    """Where the file is downloaded from; empty when it ships inside a package or lies on the hub."""
    hub: str = ""
    """The repository on Hugging Face's hub whose model.safetensors it is: "timm/resnet18.a1_in1k"."""
    resource: str = ""
    """As in "package:path/inside/it.safetensors", for a file that ships inside a package."""
    size: int | None = None
    """About the size of the file in bytes, for the progress bar and the check of free disk space."""
    input: Input | None = None
    """The input that these weights were trained with; None takes the model's own."""
    classes: tuple[str, ...] | Reference = ()
    """Class names in index order, or a reference to such a tuple."""
    vocabulary: tuple[str, ...] | Reference = ()
    """Tokens in index order, or a reference to such a tuple; for models that read text."""
    facts: Mapping[str, Json] = field(default_factory=dict)
    """Further facts of the problem that these weights were trained for."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """What the publisher measured, by metric name; shares are in 0..1."""
    data: str = ""
    """The data the metrics were measured on."""
    optional: tuple[str, ...] = ()
    """Prefixes of the state_dict that only the file or only the model may have: auxiliary heads, omitted parts."""
    remap: Reference | None = None
    """(state_dict) -> state_dict, for files whose names differ from the model's."""
    recipe: str = ""
    """How they were made: a command, or a link."""

    def __post_init__(self) -> None:
        check_pattern(QUALIFIED, self.model, what="the model of a set of weights", form="'resnet18'")
        check_pattern(TASK_NAME, self.tag, what=f"a tag of {self.model}", form="'imagenet1k_v1'")
        check_reference(self.remap, what=f"the remap of {self.model}@{self.tag}")
        if sum(map(bool, (self.url, self.resource, self.hub))) != 1:
            raise ValueError(f"{self.model}@{self.tag} must name either a url or a resource or a hub")
        if not (self.hub and not self.sha256) and not re.fullmatch(r"[0-9a-f]{8,64}", self.sha256):
            raise ValueError(f"the sha256 of {self.model}@{self.tag} is {self.sha256!r}; it must be 8 to 64 hex digits")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskTags:
    """What only some tasks can do, declared as data; each tag names the method that it promises.

    Four tags are about objects that a part makes later.  None says that such an object is asked whether it has the
    method; so it is for tasks of API 1, which declare nothing.

    Examples:
        >>> zoo.TaskTags(reads_text=True).generative
        False
    """

    generative: bool = False
    """An answer takes many runs of the graph, as writing a text does: `answers.generate`."""
    settings: Mapping[str, float] = field(default_factory=dict)
    """What a user may choose about an answer, with the defaults: of a generative task what `answers.generate` is given
    (length, temperature); of any other what `answers.show` finds in `problem.facts` where it was chosen (threshold)."""
    unconditional: bool = False
    """It answers where nothing is given at all: `answers.prompts`."""
    reads_text: bool = False
    """A raw input may be given in words instead of a file: `data.read_text`."""
    pairwise: bool = False
    """Answers are there to be compared with each other, as those to two faces: `answers.compare`."""
    has_threshold: bool = False
    """Answers rest on a number that the validation data gave: `answers.calibrate`."""
    many_items: bool = False
    """A file may hold many items, as a table does: `data.read` gives more than one."""
    has_margin: bool | None = False
    """The answer is a choice for each of many positions: `margin` of the module of `graphs.postprocess`."""
    has_boundary: bool = False
    """The postprocess decides by thresholds and limits: `answers.boundary_cases` has outputs on both sides of each."""
    epoch_figure: bool | None = False
    """A picture is worth having after every epoch: `epoch_picture(path)` of the metrics."""
    ordered: bool | None = False
    """The dataset says how an epoch goes through it: `order(batch_size, generator)` of the dataset.

    It gives indices, as many as there are items at most; every `batch_size` in a row are one batch.  Datasets of
    other tasks are shuffled.
    """
    adjustable: bool | None = False
    """The trainer's options change the dataset: `adjusted(options)` of the dataset gives the same split by them."""


PARTS = ("data", "tensors", "graphs", "answers", "device")
"""The fields of a `TaskSpec` that name its parts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSpec:
    """One kind of work: its five parts (API 2), or one object with everything (`task`, API 1).

    Examples:
        >>> spec = zoo.TaskSpec(
        ...     name="houses",
        ...     data="my.task:Data",
        ...     tensors="zoo:TableTensors",
        ...     graphs="zoo:TableGraphs",
        ...     answers="my.task:Answers",
        ...     device="zoo:read_rows",
        ...     monitor=zoo.Monitor(metric="r2", mode="max"),
        ... )
        >>> spec.monitored
        'r2'
    """

    name: str
    """Unique in its plugin."""
    data: Reference | None = None
    """A class with the methods of `zoo.TaskData`; importing it imports no torch."""
    tensors: Reference | None = None
    """A class with the methods of `zoo.TaskTensors`."""
    graphs: Reference | None = None
    """A class with the methods of `zoo.TaskGraphs`."""
    answers: Reference | None = None
    """A class with the methods of `zoo.TaskAnswers`; importing it imports no torch."""
    device: Reference | None = None
    """The module that bundles carry as task.py, by one of its functions: "zoo_keypoints.device:read".

    With the modules that it imports from zoo, which are put before it, it needs only numpy and Pillow.  It offers
    read(path, problem) -> inputs of pipeline.onnx by name, which raises ValueError or OSError for a file that it
    cannot read (with the tag `many_items` a list of (name, inputs)); show(answer, problem) -> text; and where the
    tags say so read_text(text, problem), generate(run, inputs, feedback, problem) -> answer, compare(names, answers,
    problem) -> text.  Where an answer is a file, keep(answer, problem) -> text writes it instead of show.  `problem`
    is the manifest's, as plain JSON.
    """
    devices: Mapping[str, Reference] = field(default_factory=dict)
    """Other device modules, by the `unit` of a `TokenInput` that they cut texts into."""
    monitor: Monitor | None = None
    """The metric that chooses the best checkpoint."""
    tags: TaskTags = field(default_factory=TaskTags)
    """What this task can do and others cannot."""
    task: Reference | None = None
    """API 1: a callable without arguments that returns an object with all methods."""
    metric: str = ""
    """API 1: the name of the metric that chooses the best checkpoint."""
    summary: str = ""
    """What it does, in half a line."""
    default_data: str = ""
    """The embedded data that `zoo train` takes when no `--data` is given."""
    data_licence: str = ""
    """Licence of the embedded data; weights that are trained on them repeat it."""
    extra: str | None = None
    """As in `ModelSpec`."""

    def __post_init__(self) -> None:
        check_pattern(TASK_NAME, self.name, what="a task's name", form="'image-classification'")
        check_reference(self.task, what=f"the task {self.name}")
        for part in PARTS:
            check_reference(getattr(self, part), what=f"{part} of the task {self.name}")
        for unit, device in self.devices.items():
            check_reference(device, what=f"the device for {unit}s of the task {self.name}")
        given = [part for part in PARTS if getattr(self, part) is not None]
        if self.task is not None and given:
            raise ValueError(f"the task {self.name} names {', '.join(given)}, and task= too; say one of them")
        if self.task is None and (missing := [name for name in (*PARTS, "monitor") if getattr(self, name) is None]):
            raise ValueError(f"the task {self.name} names no {', '.join(missing)}")

    @property
    def monitored(self) -> str:
        """The name of the metric that chooses the best checkpoint."""
        return self.monitor.metric if self.monitor else self.metric
