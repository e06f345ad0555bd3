#!/bin/bash
#SBATCH --job-name=zoo
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=8
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=8
#SBATCH --time=24:00:00
#SBATCH --signal=USR1@300
#SBATCH --requeue
#SBATCH --open-mode=append
# One task for each GPU. Five minutes before the time is up SLURM sends SIGUSR1: zoo saves, and the job is queued again.
set -u
if [ -f "$RUN/run.json" ]; then
  command=(--resume "$RUN")
else
  command=("${MODEL:-resnet50}" --data "$DATA" -o "$RUN" --device "${DEVICE:-cuda}" "$@")
fi
srun --kill-on-bad-exit=1 zoo train "${command[@]}"
code=$?
if [ "$code" -eq 138 ]; then  # 128 + SIGUSR1
  scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
