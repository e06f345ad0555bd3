"""The callbacks that zoo itself declares, as any plugin does."""

from __future__ import annotations

from typing import Final

from zoo.api.callback import CallbackSpec

HOME: Final = "zoo.training.callbacks"
REMOTE: Final = dict.fromkeys(("events", "state_round_trip"), "it sends to a server; zoo's own tests run it offline")

METRICS_CSV: Final = CallbackSpec(
    name="metrics-csv",
    callback=f"{HOME}.metrics_csv:MetricsCsv",
    summary="metrics.csv: a row for each epoch; part of every training",
)
TENSORBOARD: Final = CallbackSpec(
    name="tensorboard",
    callback=f"{HOME}.tensorboard:TensorBoard",
    summary="tensorboard/: the numbers of metrics.csv; part of every training",
)
PICTURES: Final = CallbackSpec(
    name="pictures",
    callback=f"{HOME}.pictures:Pictures",
    summary="pictures/: curves, and what the task draws; part of every training",
)
LIVE_LINE: Final = CallbackSpec(
    name="live-line",
    callback=f"{HOME}.live_line:live_line",
    summary="progress on the terminal; part of every `zoo train`",
)

BUILT_IN_CALLBACKS: Final = (
    METRICS_CSV,
    TENSORBOARD,
    PICTURES,
    LIVE_LINE,
    CallbackSpec(
        name="mlflow",
        callback=f"{HOME}.mlflow:MlflowCallback",
        extra="mlflow",
        conformance=REMOTE,
        summary="numbers, options and metrics.csv to MLflow (MLFLOW_TRACKING_URI says where)",
    ),
    CallbackSpec(
        name="wandb",
        callback=f"{HOME}.wandb:WandbCallback",
        extra="wandb",
        conformance=REMOTE,
        summary="numbers and options to Weights & Biases (WANDB_MODE=offline keeps them here)",
    ),
)
EVERY_RUN: Final = (METRICS_CSV, TENSORBOARD, PICTURES)
"""Part of every training, in the order in which they write."""
