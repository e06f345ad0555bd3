"""A model zoo with a way to the edge: list, train, export to ONNX, and prove the export.

Names here are the whole public interface, for plugins and for Python users.  Each is imported when it is first
used, so `import zoo` costs nothing and brings neither torch nor numpy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoo.api.api_1 import Adjustable as Adjustable
    from zoo.api.api_1 import Calibrated as Calibrated
    from zoo.api.api_1 import ChoosesRunner as ChoosesRunner
    from zoo.api.api_1 import Comparing as Comparing
    from zoo.api.api_1 import Developing as Developing
    from zoo.api.api_1 import Ordered as Ordered
    from zoo.api.api_1 import ReadsText as ReadsText
    from zoo.api.api_1 import Responding as Responding
    from zoo.api.api_1 import TellsPostprocess as TellsPostprocess
    from zoo.api.api_1 import Unprompted as Unprompted
    from zoo.api.callback import Callback as Callback
    from zoo.api.callback import CallbackRun as CallbackRun
    from zoo.api.callback import CallbackSpec as CallbackSpec
    from zoo.api.callback import CheckpointEvent as CheckpointEvent
    from zoo.api.callback import EpochResult as EpochResult
    from zoo.api.callback import EvaluationEvent as EvaluationEvent
    from zoo.api.callback import FailureEvent as FailureEvent
    from zoo.api.callback import Outcome as Outcome
    from zoo.api.callback import SavedEvent as SavedEvent
    from zoo.api.callback import StartEvent as StartEvent
    from zoo.api.callback import StepEvent as StepEvent
    from zoo.api.data import DataCard as DataCard
    from zoo.api.data import DataNote as DataNote
    from zoo.api.data import DataRequest as DataRequest
    from zoo.api.data import DataSource as DataSource
    from zoo.api.data import Split as Split
    from zoo.api.deprecated import picture_controls as picture_controls
    from zoo.api.errors import AmbiguousName as AmbiguousName
    from zoo.api.errors import BadFile as BadFile
    from zoo.api.errors import BadSample as BadSample
    from zoo.api.errors import DataError as DataError
    from zoo.api.errors import DiskError as DiskError
    from zoo.api.errors import Diverged as Diverged
    from zoo.api.errors import HashMismatch as HashMismatch
    from zoo.api.errors import MissingExtra as MissingExtra
    from zoo.api.errors import NetworkError as NetworkError
    from zoo.api.errors import NotProved as NotProved
    from zoo.api.errors import OutOfMemory as OutOfMemory
    from zoo.api.errors import OutputExists as OutputExists
    from zoo.api.errors import PluginError as PluginError
    from zoo.api.errors import Refused as Refused
    from zoo.api.errors import SandboxError as SandboxError
    from zoo.api.errors import UnknownName as UnknownName
    from zoo.api.errors import UsageError as UsageError
    from zoo.api.errors import ZooDeprecationWarning as ZooDeprecationWarning
    from zoo.api.errors import ZooError as ZooError
    from zoo.api.formats import FormatMatch as FormatMatch
    from zoo.api.formats import FormatSpec as FormatSpec
    from zoo.api.hookspecs import API_VERSION as API_VERSION
    from zoo.api.hookspecs import hookimpl as hookimpl
    from zoo.api.parts import FileItem as FileItem
    from zoo.api.parts import NotesInput as NotesInput
    from zoo.api.parts import ReadsFormats as ReadsFormats
    from zoo.api.parts import Signatures as Signatures
    from zoo.api.parts import Task as Task
    from zoo.api.parts import TaskAnswers as TaskAnswers
    from zoo.api.parts import TaskData as TaskData
    from zoo.api.parts import TaskGraphs as TaskGraphs
    from zoo.api.parts import TaskTensors as TaskTensors
    from zoo.api.postprocess import CUSTOM_POSTPROCESS as CUSTOM_POSTPROCESS
    from zoo.api.postprocess import PostprocessKind as PostprocessKind
    from zoo.api.postprocess import PostprocessStep as PostprocessStep
    from zoo.api.problem import AudioInput as AudioInput
    from zoo.api.problem import ImageInput as ImageInput
    from zoo.api.problem import Input as Input
    from zoo.api.problem import LatentInput as LatentInput
    from zoo.api.problem import Problem as Problem
    from zoo.api.problem import TableInput as TableInput
    from zoo.api.problem import TokenInput as TokenInput
    from zoo.api.recipe import Augment as Augment
    from zoo.api.recipe import Recipe as Recipe
    from zoo.api.runtime import EngineSettings as EngineSettings
    from zoo.api.runtime import LoadedGraph as LoadedGraph
    from zoo.api.runtime import RuntimeEngine as RuntimeEngine
    from zoo.api.runtime import RuntimeSpec as RuntimeSpec
    from zoo.api.runtime import UnsupportedOperator as UnsupportedOperator
    from zoo.api.specs import ExportSpec as ExportSpec
    from zoo.api.specs import ModelSpec as ModelSpec
    from zoo.api.specs import Monitor as Monitor
    from zoo.api.specs import TaskSpec as TaskSpec
    from zoo.api.specs import TaskTags as TaskTags
    from zoo.api.specs import TrainerSpec as TrainerSpec
    from zoo.api.specs import WeightsSpec as WeightsSpec
    from zoo.api.task import Agreement as Agreement
    from zoo.api.task import Batch as Batch
    from zoo.api.task import BoundaryCase as BoundaryCase
    from zoo.api.task import Case as Case
    from zoo.api.task import Control as Control
    from zoo.api.task import Dataset as Dataset
    from zoo.api.task import Metrics as Metrics
    from zoo.api.task import Port as Port
    from zoo.api.task import Purpose as Purpose
    from zoo.api.task import Shown as Shown
    from zoo.api.task import Signature as Signature
    from zoo.api.task import generic_controls as generic_controls
    from zoo.api.trainer import StepContext as StepContext
    from zoo.api.trainer import StepOutput as StepOutput
    from zoo.api.trainer import Trainer as Trainer
    from zoo.bundle.engines.built_in import BUILT_IN_RUNTIMES as BUILT_IN_RUNTIMES
    from zoo.bundle.runtime.bundle import Checked as Checked
    from zoo.data.agreement import Verdict as Verdict
    from zoo.data.agreement import item_agreement as item_agreement
    from zoo.data.agreement import numeric_agreement as numeric_agreement
    from zoo.data.agreement import numeric_verdict as numeric_verdict
    from zoo.data.card import make_card as make_card
    from zoo.data.card import split_named as split_named
    from zoo.data.formats.built_in import BUILT_IN_FORMATS as BUILT_IN_FORMATS
    from zoo.data.formats.detection.objects import BoxAnnotation as BoxAnnotation
    from zoo.data.formats.detection.objects import ObjectListing as ObjectListing
    from zoo.data.formats.detection.objects import ObjectRow as ObjectRow
    from zoo.data.formats.masks.masks import MaskListing as MaskListing
    from zoo.data.formats.masks.masks import MaskRow as MaskRow
    from zoo.data.formats.pictures.decode import read_picture as read_picture
    from zoo.data.formats.samples import FileListing as FileListing
    from zoo.data.formats.samples import FileRow as FileRow
    from zoo.data.formats.split_names import split_of_path as split_of_path
    from zoo.data.formats.splits import hold_out as hold_out
    from zoo.data.formats.text.rows import TextNote as TextNote
    from zoo.data.formats.text.rows import TextRow as TextRow
    from zoo.data.formats.text_files import decode_file as decode_file
    from zoo.data.image.cases import picture_cases as picture_cases
    from zoo.data.image.dataset import open_levels as open_levels
    from zoo.data.image.device import read_image as read_image
    from zoo.data.image.drawing import tiled as tiled
    from zoo.data.image.preprocess import ImagePrepare as ImagePrepare
    from zoo.data.image.reading import IMAGE as IMAGE
    from zoo.data.image.reading import read_input as read_input
    from zoo.data.item_cases import item_cases as item_cases
    from zoo.data.table.reading import read_rows as read_rows
    from zoo.data.table.rows import Row as Row
    from zoo.data.text.subword.tokenizer_json import TokenizerFile as TokenizerFile
    from zoo.data.text.subword.tokenizer_json import read_tokenizer_json as read_tokenizer_json
    from zoo.models.answers import Answer as Answer
    from zoo.models.create import create_model as create_model
    from zoo.models.predict import Answers as Answers
    from zoo.models.predict import predict as predict
    from zoo.models.preprocessing import Preprocessing as Preprocessing
    from zoo.models.preprocessing import preprocessing as preprocessing
    from zoo.models.variants import FeatureMaps as FeatureMaps
    from zoo.models.weights.hub import hub_folder as hub_folder
    from zoo.models.weights.hub import stated_licence as stated_licence
    from zoo.models.weights.source import WeightsSource as WeightsSource
    from zoo.registry.catalog import Catalog as Catalog
    from zoo.registry.catalog_listing import list_models as list_models
    from zoo.registry.loader import Plugin as Plugin
    from zoo.registry.name_resolution import RegistryEntry as RegistryEntry
    from zoo.runs.evaluation_result import Evaluation as Evaluation
    from zoo.runs.run import Run as Run
    from zoo.tasks.bases.items import ItemAnswers as ItemAnswers
    from zoo.tasks.bases.mean_metrics import MeanMetrics as MeanMetrics
    from zoo.tasks.bases.picture_tables import PictureTableData as PictureTableData
    from zoo.tasks.bases.picture_tensors import PictureGraphs as PictureGraphs
    from zoo.tasks.bases.picture_tensors import PictureTensors as PictureTensors
    from zoo.tasks.bases.pictures import PictureAnswers as PictureAnswers
    from zoo.tasks.bases.pictures import PictureData as PictureData
    from zoo.tasks.bases.reading import DeviceReader as DeviceReader
    from zoo.tasks.bases.reading import DeviceTextReader as DeviceTextReader
    from zoo.tasks.bases.table_tensors import TableGraphs as TableGraphs
    from zoo.tasks.bases.table_tensors import TableTensors as TableTensors
    from zoo.tasks.bases.tables import TableAnswers as TableAnswers
    from zoo.tasks.bases.tables import TableData as TableData
    from zoo.tasks.bases.text_tensors import TextGraphs as TextGraphs
    from zoo.tasks.bases.text_tensors import TextTensors as TextTensors
    from zoo.tasks.bases.texts import TextAnswers as TextAnswers
    from zoo.tasks.bases.texts import TextData as TextData
    from zoo.tasks.object_detection.facts import detector_signature as detector_signature
    from zoo.training.callbacks.built_in import BUILT_IN_CALLBACKS as BUILT_IN_CALLBACKS
    from zoo.training.launch.resume import resume as resume
    from zoo.training.launch.start import train as train
    from zoo.training.recipe.optimizers import build_optimizer as build_optimizer
    from zoo.training.results.evaluate import evaluate as evaluate
    from zoo.training.trainers.single_model import SingleModelTrainer as SingleModelTrainer
    from zoo_export.bundle.write import Written as Written
    from zoo_export.export import export as export
    from zoo_export.verify.verify import Verified as Verified
    from zoo_export.verify.verify import verify as verify

_MODULES = {
    "zoo.bundle.engines.built_in": "BUILT_IN_RUNTIMES",
    "zoo.data.formats.built_in": "BUILT_IN_FORMATS",
    "zoo.data.formats.split_names": "split_of_path",
    "zoo.data.formats.text.rows": "TextNote TextRow",
    "zoo.data.formats.text_files": "decode_file",
    "zoo.data.formats.masks.masks": "MaskListing MaskRow",
    "zoo.data.formats.detection.objects": "BoxAnnotation ObjectListing ObjectRow",
    "zoo.data.formats.samples": "FileListing FileRow",
    "zoo.api.formats": "FormatMatch FormatSpec",
    "zoo.api.runtime": "EngineSettings LoadedGraph RuntimeEngine RuntimeSpec UnsupportedOperator",
    "zoo.data.card": "make_card split_named",
    "zoo.tasks.bases.text_tensors": "TextGraphs TextTensors",
    "zoo.tasks.bases.texts": "TextAnswers TextData",
    "zoo.tasks.bases.picture_tensors": "PictureGraphs PictureTensors",
    "zoo.tasks.bases.pictures": "PictureAnswers PictureData",
    "zoo.data.agreement": "Verdict item_agreement numeric_agreement numeric_verdict",
    "zoo.tasks.bases.items": "ItemAnswers",
    "zoo.tasks.bases.mean_metrics": "MeanMetrics",
    "zoo.tasks.bases.picture_tables": "PictureTableData",
    "zoo.tasks.bases.reading": "DeviceReader DeviceTextReader",
    "zoo.api.parts": "NotesInput ReadsFormats FileItem Signatures Task TaskAnswers TaskData TaskGraphs TaskTensors",
    "zoo.tasks.bases.table_tensors": "TableGraphs TableTensors",
    "zoo.tasks.bases.tables": "TableAnswers TableData",
    "zoo.data.formats.splits": "hold_out",
    "zoo.data.table.reading": "read_rows",
    "zoo.data.table.rows": "Row",
    "zoo.data.item_cases": "item_cases",
    "zoo.registry.catalog": "Catalog",
    "zoo.registry.catalog_listing": "list_models",
    "zoo.api.data": "DataNote DataCard DataRequest DataSource Split",
    "zoo.api.errors": "AmbiguousName BadFile BadSample DataError DiskError Diverged "
    "HashMismatch MissingExtra NetworkError NotProved OutputExists "
    "OutOfMemory PluginError Refused SandboxError UnknownName UsageError "
    "ZooDeprecationWarning ZooError",
    "zoo.training.callbacks.built_in": "BUILT_IN_CALLBACKS",
    "zoo.training.results.evaluate": "evaluate",
    "zoo.api.hookspecs": "API_VERSION hookimpl",
    "zoo.data.image.cases": "picture_cases",
    "zoo.data.image.dataset": "open_levels",
    "zoo.data.image.device": "read_image",
    "zoo.data.image.drawing": "tiled",
    "zoo.data.formats.pictures.decode": "read_picture",
    "zoo.data.image.preprocess": "ImagePrepare",
    "zoo.data.text.subword.tokenizer_json": "TokenizerFile read_tokenizer_json",
    "zoo.data.image.reading": "IMAGE read_input",
    "zoo.bundle.runtime.bundle": "Checked",
    "zoo.models.answers": "Answer",
    "zoo.models.create": "create_model",
    "zoo.models.preprocessing": "Preprocessing preprocessing",
    "zoo.models.variants": "FeatureMaps",
    "zoo.runs.evaluation_result": "Evaluation",
    "zoo.runs.run": "Run",
    "zoo_export.bundle.write": "Written",
    "zoo.registry.name_resolution": "RegistryEntry",
    "zoo.registry.loader": "Plugin",
    "zoo.models.predict": "Answers predict",
    "zoo.api.postprocess": "PostprocessKind PostprocessStep CUSTOM_POSTPROCESS",
    "zoo.api.problem": "AudioInput ImageInput Input LatentInput Problem TokenInput TableInput",
    "zoo.api.recipe": "Augment Recipe",
    "zoo.api.specs": "ExportSpec ModelSpec Monitor TaskSpec TrainerSpec WeightsSpec TaskTags",
    "zoo.api.task": "Agreement Batch BoundaryCase Case Control Dataset Metrics Port Purpose Shown Signature "
    "generic_controls",
    "zoo.tasks.object_detection.facts": "detector_signature",
    "zoo.api.trainer": "StepContext StepOutput Trainer",
    "zoo.api.callback": "Callback CallbackRun CallbackSpec CheckpointEvent EpochResult EvaluationEvent FailureEvent "
    "Outcome SavedEvent StartEvent StepEvent",
    "zoo.training.recipe.optimizers": "build_optimizer",
    "zoo.training.trainers.single_model": "SingleModelTrainer",
    "zoo.training.launch.resume": "resume",
    "zoo.training.launch.start": "train",
    "zoo.models.weights.hub": "hub_folder stated_licence",
    "zoo.models.weights.source": "WeightsSource",
    "zoo_export.verify.verify": "Verified verify",
    "zoo_export.export": "export",
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names.split()}

__all__ = sorted(_HOMES)  # noqa: PLE0605  one table says where every public name lives


_API_1 = {
    "Offer": "zoo.registry.name_resolution:RegistryEntry",
    "picture_controls": "zoo.api.deprecated:picture_controls",
    "Adjustable": "zoo.api.api_1:Adjustable",
    "Calibrated": "zoo.api.api_1:Calibrated",
    "ChoosesRunner": "zoo.api.api_1:ChoosesRunner",
    "Comparing": "zoo.api.api_1:Comparing",
    "Developing": "zoo.api.api_1:Developing",
    "Ordered": "zoo.api.api_1:Ordered",
    "ReadsText": "zoo.api.api_1:ReadsText",
    "Responding": "zoo.api.api_1:Responding",
    "TellsPostprocess": "zoo.api.api_1:TellsPostprocess",
    "Unprompted": "zoo.api.api_1:Unprompted",
}
"""Names that plugins of API 1 know, and where their objects are now."""


def __getattr__(name: str) -> object:
    reference = _API_1.get(name) or (f"{_HOMES[name]}:{name}" if name in _HOMES else None)
    if reference is None:
        raise AttributeError(f"module 'zoo' has no attribute {name!r}")
    from zoo.registry.references import resolve  # noqa: PLC0415  `import zoo` alone imports nothing else

    value = resolve(reference)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
