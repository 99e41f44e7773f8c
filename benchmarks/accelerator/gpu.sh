#!/usr/bin/env bash
# One command for a machine with an NVIDIA GPU and TensorFlow (pip install -e '.[gpu,test]'):
#
#     benchmarks/accelerator/gpu.sh RESULTS [DATA_DIR]
#
# It writes into RESULTS: the check of every kernel, the tests marked gpu, the step times against
# keras.layers and torch.nn, with and without XLA and bfloat16, and an epoch of IMDb (DATA_DIR: a
# folder of TensorFlow Datasets), with tokens a second and the peak of memory. It is meant to take under 8 minutes; each part has a limit.
set -uo pipefail
results=${1:?the folder for the results is missing}
data_dir=${2:-}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
mkdir -p "$results"
results=$(cd "$results" && pwd)
cd "$root" || exit 1

part() { # NAME SECONDS COMMAND...
    local name=$1 seconds=$2
    shift 2
    echo "== $name"
    timeout "$seconds" "$@" 2>&1 | tee "$results/$name.txt"
    echo "$name: exit status ${PIPESTATUS[0]}" | tee -a "$results/status.txt"
}

nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv | tee "$results/gpu.txt"
part doctor 90 textrnn doctor --xla
part tests 120 python -m pytest -m gpu -n 0 -q -p no:cacheprovider
part steps 90 python benchmarks/recurrence.py --no-forward --rounds 5
part updates 150 python benchmarks/accelerator/step_times.py
if python -c "import torch" 2>/dev/null; then
    part torch 30 python benchmarks/accelerator/torch_peer.py --packed
fi
if [[ -n $data_dir ]]; then
    nvidia-smi --query-gpu=memory.used,utilization.gpu --format=csv -lms 500 \
        >"$results/memory.csv" &
    watcher=$!
    part imdb 120 textrnn train --dataset imdb --data-dir "$data_dir" --epochs 1 --device gpu \
        --output "$results/imdb" --overwrite
    kill $watcher
fi
cat "$results/status.txt"
