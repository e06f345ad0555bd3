"""The tasks that zoo itself knows, and the ways of training them."""

from __future__ import annotations

from collections.abc import Iterable

from zoo import (
    BUILT_IN_CALLBACKS,
    BUILT_IN_FORMATS,
    BUILT_IN_RUNTIMES,
    CallbackSpec,
    FormatSpec,
    Monitor,
    RuntimeSpec,
    TaskSpec,
    TaskTags,
    TrainerSpec,
    hookimpl,
)

ZOO_API = 2

DIGITS_LICENCE = "MNIST digits, which are CC BY-SA 3.0 (Yann LeCun and Corinna Cortes)"
NAMES_LICENCE = "CLDR names under Unicode-3.0"
TEXT_SETTINGS = {"length": 200, "temperature": 0.8, "seed": 0}
SOUND_SETTINGS = {"seconds": 0.5, "temperature": 0.8, "seed": 0}
BOX_SETTINGS = {"threshold": 0.3}
"""As the device modules have them, which this module must not import."""
TONES_LICENCE = "tones made by zoo itself, Apache-2.0"

TASKS = (
    TaskSpec(
        name="image-classification",
        data="zoo.tasks.image_classification.task:ClassificationData",
        tensors="zoo.tasks.image_classification.tensors:ClassificationTensors",
        graphs="zoo.tasks.image_classification.tensors:ClassificationGraphs",
        answers="zoo.tasks.image_classification.task:ClassificationAnswers",
        device="zoo.tasks.image_classification.device:read",
        monitor=Monitor(metric="top1", mode="max"),
        summary="which of a list of classes a picture shows",
        default_data="digits",
        data_licence=DIGITS_LICENCE,
    ),
    TaskSpec(
        name="image-reconstruction",
        data="zoo.tasks.image_reconstruction.task:ReconstructionData",
        tensors="zoo.tasks.image_reconstruction.tensors:ReconstructionTensors",
        graphs="zoo.tasks.image_reconstruction.tensors:ReconstructionGraphs",
        answers="zoo.tasks.image_reconstruction.task:ReconstructionAnswers",
        device="zoo.tasks.image_reconstruction.device:read",
        monitor=Monitor(metric="psnr", mode="max"),
        summary="a picture through a narrow code and back",
        default_data="digits",
        data_licence=DIGITS_LICENCE,
    ),
    TaskSpec(
        name="image-generation",
        data="zoo.tasks.image_generation.task:GenerationData",
        tensors="zoo.tasks.image_generation.tensors:GenerationTensors",
        graphs="zoo.tasks.image_generation.tensors:GenerationGraphs",
        answers="zoo.tasks.image_generation.task:GenerationAnswers",
        device="zoo.tasks.image_generation.device:read",
        monitor=Monitor(metric="frechet_random", mode="min"),
        tags=TaskTags(epoch_figure=True),
        summary="pictures like those of the data, made of noise",
        default_data="digits",
        data_licence=DIGITS_LICENCE,
    ),
    TaskSpec(
        name="image-embedding",
        data="zoo.tasks.image_embedding.task:IdentityData",
        tensors="zoo.tasks.image_embedding.tensors:IdentityTensors",
        graphs="zoo.tasks.image_embedding.tensors:EmbeddingGraphs",
        answers="zoo.tasks.image_embedding.task:IdentityAnswers",
        device="zoo.tasks.image_embedding.device:read",
        monitor=Monitor(metric="roc_auc", mode="max", chance=0.5),
        tags=TaskTags(pairwise=True, has_threshold=True, ordered=True, adjustable=True),
        summary="a picture as a unit vector; those of one identity are similar",
        default_data="digits",
        data_licence=DIGITS_LICENCE,
    ),
    TaskSpec(
        name="object-detection",
        data="zoo.tasks.object_detection.task:DetectionData",
        tensors="zoo.tasks.object_detection.tensors:DetectionTensors",
        graphs="zoo.tasks.object_detection.tensors:DetectionGraphs",
        answers="zoo.tasks.object_detection.task:DetectionAnswers",
        device="zoo.tasks.object_detection.device:read",
        monitor=Monitor(metric="map", mode="max", chance=0.02),
        tags=TaskTags(settings=BOX_SETTINGS, has_boundary=True),
        summary="where in a picture the things are, and what they are",
        default_data="digit_scenes",
        data_licence=DIGITS_LICENCE,
    ),
    TaskSpec(
        name="semantic-segmentation",
        data="zoo.tasks.semantic_segmentation.task:SegmentationData",
        tensors="zoo.tasks.semantic_segmentation.tensors:SegmentationTensors",
        graphs="zoo.tasks.semantic_segmentation.tensors:SegmentationGraphs",
        answers="zoo.tasks.semantic_segmentation.task:SegmentationAnswers",
        device="zoo.tasks.semantic_segmentation.device:read",
        monitor=Monitor(metric="miou", mode="max"),
        tags=TaskTags(has_margin=True),
        summary="which of a list of classes every pixel belongs to",
        default_data="digit_scenes",
        data_licence=DIGITS_LICENCE,
    ),
    TaskSpec(
        name="text-classification",
        data="zoo.tasks.bases.texts:TextData",
        tensors="zoo.tasks.text_classification.tensors:TextClassTensors",
        graphs="zoo.tasks.text_classification.tensors:TextClassGraphs",
        answers="zoo.tasks.text_classification.task:TextClassAnswers",
        device="zoo.tasks.text_classification.device:read",
        devices={"subword": "zoo.tasks.text_classification.device_subword:read"},
        monitor=Monitor(metric="accuracy", mode="max"),
        tags=TaskTags(reads_text=True, many_items=True, ordered=True),
        summary="which of a list of classes a text belongs to",
        default_data="names",
        data_licence=NAMES_LICENCE,
    ),
    TaskSpec(
        name="text-embedding",
        data="zoo.tasks.text_embedding.task:LabelledTextData",
        tensors="zoo.tasks.text_embedding.tensors:LabelledTextTensors",
        graphs="zoo.tasks.text_embedding.tensors:TextEmbeddingGraphs",
        answers="zoo.tasks.text_embedding.task:TextEmbeddingAnswers",
        device="zoo.tasks.text_embedding.device:read",
        devices={"subword": "zoo.tasks.text_embedding.device_subword:read"},
        monitor=Monitor(metric="retrieval_accuracy", mode="max"),
        tags=TaskTags(reads_text=True, many_items=True, pairwise=True, ordered=True),
        summary="a text as a unit vector; those of one label are similar",
        default_data="names",
        data_licence=NAMES_LICENCE,
    ),
    TaskSpec(
        name="text-generation",
        data="zoo.tasks.text_generation.task:CorpusData",
        tensors="zoo.tasks.text_generation.tensors:CorpusTensors",
        graphs="zoo.tasks.text_generation.tensors:LanguageModelGraphs",
        answers="zoo.tasks.text_generation.task:ContinuationAnswers",
        device="zoo.tasks.text_generation.device:read",
        monitor=Monitor(metric="bits_per_character", mode="min"),
        tags=TaskTags(
            generative=True,
            settings=TEXT_SETTINGS,
            unconditional=True,
            reads_text=True,
            many_items=True,
            ordered=True,
        ),
        summary="text that goes on where a prompt ends",
        default_data="names",
        data_licence=NAMES_LICENCE,
    ),
    TaskSpec(
        name="audio-generation",
        data="zoo.tasks.audio_generation.task:SoundData",
        tensors="zoo.tasks.audio_generation.tensors:SoundTensors",
        graphs="zoo.tasks.audio_generation.tensors:SampleModelGraphs",
        answers="zoo.tasks.audio_generation.task:SoundAnswers",
        device="zoo.tasks.audio_generation.device:read",
        monitor=Monitor(metric="bits_per_sample", mode="min"),
        tags=TaskTags(generative=True, settings=SOUND_SETTINGS, unconditional=True, reads_text=True, ordered=True),
        summary="sounds like those of the data, sample by sample",
        default_data="tones",
        data_licence=TONES_LICENCE,
    ),
)
"""Those of pictures, then of text, then of sounds."""

TRAINERS = (
    TrainerSpec(
        name="classification",
        task="image-classification",
        trainer="zoo.training.trainers.classification:ClassificationTrainer",
        options={"auxiliary_weight": 0.4, "first_size": 1.0},
        supports=("augment_policy", "mixup", "cutmix", "sampling", "class_weights", "teacher"),
        summary="cross-entropy, with label smoothing if the recipe says so",
    ),
    TrainerSpec(
        name="reconstruction",
        task="image-reconstruction",
        trainer="zoo.training.trainers.reconstruction:ReconstructionTrainer",
        summary="mean squared error between a picture and what came back",
    ),
    TrainerSpec(
        name="segmentation",
        task="semantic-segmentation",
        trainer="zoo.training.trainers.segmentation:SegmentationTrainer",
        options={"auxiliary_weight": 0.5},
        summary="cross-entropy over the pixels that are not left open",
    ),
    TrainerSpec(
        name="text-classification",
        task="text-classification",
        trainer="zoo.training.trainers.text_classification:TextClassificationTrainer",
        options={"token_dropout": 0.0},
        supports=("class_weights", "teacher"),
        summary="cross-entropy over tokens and lengths; token_dropout hides a share of the tokens",
    ),
    TrainerSpec(
        name="contrastive",
        task="text-embedding",
        trainer="zoo.training.trainers.contrastive:ContrastiveTextTrainer",
        options={"temperature": 0.1, "token_dropout": 0.0},
        summary="a softmax over similarities, in which texts of one label should win",
    ),
    TrainerSpec(
        name="language-model",
        task="text-generation",
        trainer="zoo.training.trainers.language_model:LanguageModelTrainer",
        summary="cross-entropy of the next token, the state carried from chunk to chunk without gradients",
    ),
    TrainerSpec(
        name="sample-model",
        task="audio-generation",
        trainer="zoo.training.trainers.language_model:LanguageModelTrainer",
        summary="cross-entropy of the next sample, the state carried from chunk to chunk without gradients",
    ),
)
"""What models of any plugin may name; families with losses of their own bring trainers of their own."""


@hookimpl
def zoo_tasks() -> Iterable[TaskSpec]:
    """Those of pictures, of text and of sounds."""
    return TASKS


@hookimpl
def zoo_trainers() -> Iterable[TrainerSpec]:
    """How images are classified, reconstructed and segmented, and how texts and sounds are learnt."""
    return TRAINERS


@hookimpl
def zoo_formats() -> Iterable[FormatSpec]:
    """The ways in which people keep data for these tasks."""
    return BUILT_IN_FORMATS


@hookimpl
def zoo_runtimes() -> Iterable[RuntimeSpec]:
    """The runtimes of this distribution."""
    return BUILT_IN_RUNTIMES


@hookimpl
def zoo_callbacks() -> Iterable[CallbackSpec]:
    """The callbacks of this distribution."""
    return BUILT_IN_CALLBACKS
