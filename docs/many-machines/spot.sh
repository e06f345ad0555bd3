#!/bin/bash
# A machine that may be taken away: start this again on the next one, with the same RUN on a disk that stays.
# The next machine may have another number of GPUs; --allow-inexact says that the last bits may then differ.
set -eu
if [ -f "$RUN/run.json" ]; then
  exec zoo train --resume "$RUN" --devices "${GPUS:-1}" --allow-inexact
fi
exec zoo train "${MODEL:-resnet50}" --data "$DATA" -o "$RUN" --device "${DEVICE:-cuda}" --devices "${GPUS:-1}" \
  --save-every 5min "$@"
