#!/bin/bash
# One GPU. DATA and RUN say where the data are and where the run goes; more options of `zoo train` may follow.
set -eu
exec zoo train "${MODEL:-resnet50}" --data "$DATA" -o "$RUN" --device "${DEVICE:-cuda}" "$@"
