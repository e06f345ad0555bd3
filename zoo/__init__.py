"""A model zoo with a way to the edge: list, train, export to ONNX, and prove the export.

Names here are the whole public interface, for plugins and for Python users.  Each is imported when it is first
used, so `import zoo` costs nothing and brings neither torch nor numpy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoo.capabilities import Adjustable as Adjustable
    from zoo.capabilities import Calibrated as Calibrated
    from zoo.capabilities import ChoosesRunner as ChoosesRunner
    from zoo.capabilities import Comparing as Comparing
    from zoo.capabilities import Developing as Developing
    from zoo.capabilities import Ordered as Ordered
    from zoo.capabilities import ReadsText as ReadsText
    from zoo.capabilities import Responding as Responding
    from zoo.capabilities import Unprompted as Unprompted
    from zoo.catalog import Catalog as Catalog
    from zoo.catalog import list_models as list_models
    from zoo.data_card import DataCard as DataCard
    from zoo.data_card import DataRequest as DataRequest
    from zoo.data_card import DataSource as DataSource
    from zoo.data_card import Split as Split
    from zoo.errors import AmbiguousName as AmbiguousName
    from zoo.errors import BadFile as BadFile
    from zoo.errors import BadSample as BadSample
    from zoo.errors import DataError as DataError
    from zoo.errors import DiskError as DiskError
    from zoo.errors import Diverged as Diverged
    from zoo.errors import HashMismatch as HashMismatch
    from zoo.errors import MissingExtra as MissingExtra
    from zoo.errors import NetworkError as NetworkError
    from zoo.errors import NotProved as NotProved
    from zoo.errors import OutputExists as OutputExists
    from zoo.errors import PluginError as PluginError
    from zoo.errors import Refused as Refused
    from zoo.errors import SandboxError as SandboxError
    from zoo.errors import UnknownName as UnknownName
    from zoo.errors import UsageError as UsageError
    from zoo.errors import ZooError as ZooError
    from zoo.evaluation import evaluate as evaluate
    from zoo.hookspecs import API_VERSION as API_VERSION
    from zoo.hookspecs import hookimpl as hookimpl
    from zoo.images.cases import picture_cases as picture_cases
    from zoo.images.controls import picture_controls as picture_controls
    from zoo.images.dataset import open_levels as open_levels
    from zoo.images.decode import read_picture as read_picture
    from zoo.images.prepare import ImagePrepare as ImagePrepare
    from zoo.images.reading import IMAGE as IMAGE
    from zoo.images.reading import read_input as read_input
    from zoo.models import create_model as create_model
    from zoo.names import Offer as Offer
    from zoo.plugins import Plugin as Plugin
    from zoo.prediction import predict as predict
    from zoo.problem import AudioInput as AudioInput
    from zoo.problem import ImageInput as ImageInput
    from zoo.problem import Input as Input
    from zoo.problem import LatentInput as LatentInput
    from zoo.problem import Problem as Problem
    from zoo.problem import TokenInput as TokenInput
    from zoo.recipe import Augment as Augment
    from zoo.recipe import Recipe as Recipe
    from zoo.specs import ExportSpec as ExportSpec
    from zoo.specs import ModelSpec as ModelSpec
    from zoo.specs import Monitor as Monitor
    from zoo.specs import TaskSpec as TaskSpec
    from zoo.specs import TrainerSpec as TrainerSpec
    from zoo.specs import WeightsSpec as WeightsSpec
    from zoo.task import Agreement as Agreement
    from zoo.task import Batch as Batch
    from zoo.task import Case as Case
    from zoo.task import Control as Control
    from zoo.task import Dataset as Dataset
    from zoo.task import Metrics as Metrics
    from zoo.task import Port as Port
    from zoo.task import Purpose as Purpose
    from zoo.task import Shown as Shown
    from zoo.task import Signature as Signature
    from zoo.task import Task as Task
    from zoo.tasks.object_detection.facts import detector_signature as detector_signature
    from zoo.trainer import StepContext as StepContext
    from zoo.trainer import StepOutput as StepOutput
    from zoo.trainer import Trainer as Trainer
    from zoo.trainers.optimizers import build_optimizer as build_optimizer
    from zoo.trainers.single_model import SingleModelTrainer as SingleModelTrainer
    from zoo.training.resume import resume as resume
    from zoo.training.start import train as train
    from zoo.weights.source import WeightsSource as WeightsSource
    from zoo_export.anew import verify as verify
    from zoo_export.publish import export as export

_MODULES = {
    "zoo.capabilities": "Adjustable Calibrated ChoosesRunner Comparing Developing Ordered ReadsText Responding "
    "Unprompted",
    "zoo.catalog": "Catalog list_models",
    "zoo.data_card": "DataCard DataRequest DataSource Split",
    "zoo.errors": "AmbiguousName BadFile BadSample DataError DiskError Diverged HashMismatch MissingExtra NetworkError "
    "NotProved OutputExists PluginError Refused SandboxError UnknownName UsageError ZooError",
    "zoo.evaluation": "evaluate",
    "zoo.hookspecs": "API_VERSION hookimpl",
    "zoo.images.cases": "picture_cases",
    "zoo.images.controls": "picture_controls",
    "zoo.images.dataset": "open_levels",
    "zoo.images.decode": "read_picture",
    "zoo.images.prepare": "ImagePrepare",
    "zoo.images.reading": "IMAGE read_input",
    "zoo.models": "create_model",
    "zoo.names": "Offer",
    "zoo.plugins": "Plugin",
    "zoo.prediction": "predict",
    "zoo.problem": "AudioInput ImageInput Input LatentInput Problem TokenInput",
    "zoo.recipe": "Augment Recipe",
    "zoo.specs": "ExportSpec ModelSpec Monitor TaskSpec TrainerSpec WeightsSpec",
    "zoo.task": "Agreement Batch Case Control Dataset Metrics Port Purpose Shown Signature Task",
    "zoo.tasks.object_detection.facts": "detector_signature",
    "zoo.trainer": "StepContext StepOutput Trainer",
    "zoo.trainers.optimizers": "build_optimizer",
    "zoo.trainers.single_model": "SingleModelTrainer",
    "zoo.training.resume": "resume",
    "zoo.training.start": "train",
    "zoo.weights.source": "WeightsSource",
    "zoo_export.anew": "verify",
    "zoo_export.publish": "export",
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names.split()}

__all__ = sorted(_HOMES)  # noqa: PLE0605  one table says where every public name lives


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'zoo' has no attribute {name!r}")
    from zoo.references import resolve  # noqa: PLC0415  the door stays free until somebody knocks

    found = resolve(f"{_HOMES[name]}:{name}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
