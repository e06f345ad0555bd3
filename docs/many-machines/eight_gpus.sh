#!/bin/bash
# Eight GPUs of one machine. The batch is over all of them: each gets an eighth of --batch-size.
set -eu
exec zoo train "${MODEL:-resnet50}" --data "$DATA" -o "$RUN" --device "${DEVICE:-cuda}" --devices "${GPUS:-8}" "$@"
