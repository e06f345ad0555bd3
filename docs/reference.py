"""Writes the pages of docs/api/, which name every public object; the site shows its docstring there.

python docs/reference.py
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "export")]

import zoo  # noqa: E402  the checkout's own
from zoo.registry.loader import HOOKS  # noqa: E402

FOLDER: Final = ROOT / "docs" / "api"
HEAD: Final = """# {title}

{text} The site shows what each name means; in Python `help(zoo.{first})` prints the same.
Examples begin with `import zoo`, `import numpy as np`, `import torch` and `from pathlib import Path`.
<!-- written by docs/reference.py -->
"""
PAGES: Final[Mapping[str, tuple[str, str, str]]] = {
    "using": (
        "Using models",
        "The verbs of the command line as functions, and what they return.",
        "list_models train resume evaluate predict export verify create_model preprocessing Run Evaluation Answers "
        "Answer Written Checked Verified Preprocessing FeatureMaps",
    ),
    "plugins": (
        "Plugins",
        "What a plugin declares, and what its models, trainers and callbacks are written against "
        "([how to write one](../plugins.md)).",
        "hookimpl API_VERSION ModelSpec TrainerSpec WeightsSpec TaskSpec TaskTags FormatSpec ExportSpec Monitor Recipe "
        "Augment Input ImageInput TokenInput LatentInput AudioInput TableInput Problem Trainer SingleModelTrainer "
        "StepContext StepOutput build_optimizer CallbackSpec CallbackRun Callback StartEvent StepEvent EvaluationEvent "
        "EpochResult CheckpointEvent SavedEvent Outcome FailureEvent BUILT_IN_CALLBACKS RuntimeSpec EngineSettings "
        "RuntimeEngine LoadedGraph UnsupportedOperator BUILT_IN_RUNTIMES WeightsSource hub_folder stated_licence",
    ),
    "tasks": (
        "Tasks",
        "The five parts of a task, what they take and give, and bases with defaults.",
        "TaskData TaskTensors TaskGraphs TaskAnswers Task NotesInput ReadsFormats FileItem Signatures Signature Port "
        "IMAGE Dataset Batch Metrics Purpose Case BoundaryCase Agreement Verdict Control Shown PostprocessKind "
        "PostprocessStep CUSTOM_POSTPROCESS item_agreement numeric_agreement numeric_verdict generic_controls "
        "picture_cases item_cases detector_signature ItemAnswers MeanMetrics DeviceReader DeviceTextReader PictureData "
        "PictureTableData PictureTensors PictureGraphs PictureAnswers TextData TextTensors TextGraphs TextAnswers "
        "TableData TableTensors TableGraphs TableAnswers ImagePrepare open_levels tiled",
    ),
    "data": (
        "Data",
        "What formats give, and data that a task has looked at.",
        "DataRequest DataSource DataCard DataNote Split make_card split_named split_of_path hold_out FormatMatch "
        "BUILT_IN_FORMATS ObjectListing ObjectRow BoxAnnotation MaskListing MaskRow FileListing FileRow TextRow "
        "TextNote BadSample Row read_rows read_picture read_image read_input decode_file TokenizerFile "
        "read_tokenizer_json",
    ),
    "errors": (
        "Errors",
        "The library raises a `ZooError` with a sentence and a hint; the command line prints both.",
        "ZooError UsageError UnknownName AmbiguousName DataError BadFile HashMismatch OutputExists DiskError "
        "NetworkError OutOfMemory MissingExtra PluginError SandboxError Refused NotProved Diverged "
        "ZooDeprecationWarning",
    ),
}
"""By file name: title, first sentence, and the names in their order. All other public names come into `more`."""


def pages() -> dict[str, str]:
    """Every page as Markdown, by its file name without suffix."""
    told = {name for *_, names in PAGES.values() for name in names.split()}
    more = [name for name in zoo.__all__ if name not in told]
    texts = {
        file: _page(title, text, [name for name in names.split() if name in zoo.__all__])
        for file, (title, text, names) in PAGES.items()
    }
    texts["plugins"] += "\n## The hooks\n" + "".join(_directive(f"zoo.api.hookspecs.{name}", 3) for name in HOOKS)
    return texts | {"more": _page("Everything else", "Public names that stand on no other page.", more)}


def _page(title: str, text: str, names: list[str]) -> str:
    head = HEAD.format(title=title, text=text, first=names[0])
    return head + "".join(_directive(f"zoo.{name}", 2) for name in names)


def _directive(path: str, level: int) -> str:
    options = "" if level == 2 else f"    options:\n      heading_level: {level}\n"
    return f"\n::: {path}\n{options}"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / f"{name}.md").write_text(text, encoding="utf-8")
