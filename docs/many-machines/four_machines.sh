#!/bin/bash
# Four machines with eight GPUs each. Run it on every machine, with NODE_RANK 0, 1, 2 and 3; FIRST is the host of 0.
# Every machine needs the same packages and the same data at DATA; only the first one writes to RUN.
set -eu
exec torchrun --nnodes "${NODES:-4}" --nproc-per-node "${GPUS:-8}" --node-rank "$NODE_RANK" \
  --master-addr "$FIRST" --master-port "${PORT:-29500}" -m \
  zoo train "${MODEL:-resnet50}" --data "$DATA" -o "$RUN" --device "${DEVICE:-cuda}" "$@"
