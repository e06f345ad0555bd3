"""The tasks that zoo itself knows, and the ways of training them."""

from __future__ import annotations

from collections.abc import Iterable

from zoo import Monitor, TaskSpec, TrainerSpec, hookimpl

ZOO_API = 2

DIGITS_LICENCE = "MNIST digits, which are CC BY-SA 3.0 (Yann LeCun and Corinna Cortes)"
NAMES_LICENCE = "CLDR names under Unicode-3.0"
TONES_LICENCE = "tones made by zoo itself, Apache-2.0"

TASKS = (
    TaskSpec(
        name="image-classification",
        data="zoo.tasks.image_classification.task:ClassificationData",
        tensors="zoo.tasks.image_classification.tensors:ClassificationTensors",
        graphs="zoo.tasks.image_classification.tensors:ClassificationGraphs",
        answers="zoo.tasks.image_classification.task:ClassificationAnswers",
        device="zoo.tasks.image_classification.runner:read",
        monitor=Monitor(metric="top1", mode="max"),
        summary="which of a list of classes a picture shows",
        default_data="digits",
        data_licence=DIGITS_LICENCE,
    ),
    TaskSpec(
        name="image-reconstruction",
        task="zoo.tasks.image_reconstruction.task:ImageReconstruction",
        summary="a picture through a narrow code and back",
        default_data="digits",
        data_licence=DIGITS_LICENCE,
        metric="psnr",
    ),
    TaskSpec(
        name="image-generation",
        task="zoo.tasks.image_generation.task:ImageGeneration",
        summary="pictures like those of the data, made of noise",
        default_data="digits",
        data_licence=DIGITS_LICENCE,
        metric="frechet_random",
    ),
    TaskSpec(
        name="image-embedding",
        task="zoo.tasks.image_embedding.task:ImageEmbedding",
        summary="a picture as a unit vector; those of one identity are similar",
        default_data="digits",
        data_licence=DIGITS_LICENCE,
        metric="roc_auc",
    ),
    TaskSpec(
        name="object-detection",
        task="zoo.tasks.object_detection.task:ObjectDetection",
        summary="where in a picture the things are, and what they are",
        default_data="digit_scenes",
        data_licence=DIGITS_LICENCE,
        metric="map",
    ),
    TaskSpec(
        name="semantic-segmentation",
        task="zoo.tasks.semantic_segmentation.task:SemanticSegmentation",
        summary="which of a list of classes every pixel belongs to",
        default_data="digit_scenes",
        data_licence=DIGITS_LICENCE,
        metric="miou",
    ),
    TaskSpec(
        name="text-classification",
        task="zoo.tasks.text_classification.task:TextClassification",
        summary="which of a list of classes a text belongs to",
        default_data="names",
        data_licence=NAMES_LICENCE,
        metric="accuracy",
    ),
    TaskSpec(
        name="text-embedding",
        task="zoo.tasks.text_embedding.task:TextEmbedding",
        summary="a text as a unit vector; those of one label are similar",
        default_data="names",
        data_licence=NAMES_LICENCE,
        metric="retrieval_accuracy",
    ),
    TaskSpec(
        name="text-generation",
        task="zoo.tasks.text_generation.task:TextGeneration",
        summary="text that goes on where a prompt ends",
        default_data="names",
        data_licence=NAMES_LICENCE,
        metric="bits_per_character",
    ),
    TaskSpec(
        name="audio-generation",
        task="zoo.tasks.audio_generation.task:AudioGeneration",
        summary="sounds like those of the data, sample by sample",
        default_data="tones",
        data_licence=TONES_LICENCE,
        metric="bits_per_sample",
    ),
)
"""Those of pictures, then of text, then of sounds."""

TRAINERS = (
    TrainerSpec(
        name="classification",
        task="image-classification",
        trainer="zoo.training.trainers.classification:ClassificationTrainer",
        options={"auxiliary_weight": 0.4},
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
