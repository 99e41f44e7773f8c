#!/usr/bin/env bash
# Runs every benchmark whose table is in the docs and which a machine without a GPU can run, one after
# the other, and says which figures changed. It takes a night on two cores.
#
#   benchmarks/all.sh RESULTS DATA [BEFORE]
#
# RESULTS  Folder for one text file per benchmark. A benchmark that has ended there is not run again, so
#          the same command continues after an interruption.
# DATA     Folder of data sets: sst2/train.csv, validation.csv (if there is one) and test.csv, likewise
#          trec6, clinc150 and the others of docs/accuracy.md; DATA/tensorflow_datasets with a prepared
#          imdb_reviews.
# BEFORE   RESULTS of an earlier night.
# ONLY     Environment variable: a regular expression for the names of the benchmarks to run.
set -uo pipefail
mkdir -p "$1"
results=$(realpath "$1") data=$(realpath "$2") before=${3:+$(realpath "$3")}
cd "$(dirname "$0")/.." || exit
imdb=(--dataset imdb --data-dir "$data/tensorflow_datasets")
runs=$results/runs

# job NAME COMMAND...: the output goes to RESULTS/NAME.txt, the messages to RESULTS/NAME.log, and a line
# with the name and the minutes to RESULTS/minutes.csv.
job() {
    local name=$1 began=$SECONDS
    shift
    if [[ ! $name =~ ${ONLY:-.} || -e $results/$name.txt ]]; then return; fi
    printf '%s %-20s %s\n' "$(date +%H:%M)" "$name" "$*"
    if "$@" >"$results/$name.part" 2>"$results/$name.log"; then
        mv "$results/$name.part" "$results/$name.txt"
        printf '%s,%.1f\n' "$name" "$(((SECONDS - began) / 6))e-1" >>"$results/minutes.csv"
    else
        printf '      %-20s failed: %s\n' "$name" "$results/$name.log"
    fi
}

# The runs that other benchmarks ask for; `evaluate` is their table.
run() {
    local name=$1
    shift
    job "run_$name" textrnn train "$@" --seed 0 --output "$runs/$name" --overwrite
}
train_and_test() { files=(--train-file "$data/$1/train.csv" --test-file "$data/$1/test.csv"); }
all_files() {
    train_and_test "$1"
    if [[ -e $data/$1/validation.csv ]]; then files+=(--valid-file "$data/$1/validation.csv"); fi
}
for name in sst2 trec6 clinc150; do
    all_files "$name"
    run "$name" "${files[@]}"
done
run imdb "${imdb[@]}"
run imdb_stream "${imdb[@]}" --no-bidirectional --tbptt 256,256 --epochs 2
run bbc_news --dataset bbc_news

b=benchmarks

# docs/accuracy.md
job accuracy python $b/accuracy.py --data "$data" --dataset bbc_news "${imdb[@]}" --seed 0 --seed 1 \
    --seed 2 --output "$runs/accuracy"
job imdb_short python $b/imdb.py --recipe short --seed 0 --baselines --output "$runs/imdb_short" \
    --data-dir "$data/tensorflow_datasets"
job imdb_long python $b/imdb.py --recipe long --seed 0 --output "$runs/imdb_long" \
    --data-dir "$data/tensorflow_datasets"
train_and_test trec6
job parts python $b/parts.py "${files[@]}" --output "$runs/parts"
all_files sst2
job cells_and_heads python $b/cells_and_heads.py "${files[@]}" --epochs 4 --units 64 --ngrams 0
job curve python $b/curve.py "${imdb[@]}" --budget 90s --budget 3m --fasttext-epochs 1 \
    --fasttext-epochs 2 --fasttext-epochs 5 --fasttext-epochs 10 --tutorial-epochs 3 \
    --output "$runs/curve" --plot "$results/imdb_minutes.png"

# docs/performance.md and docs/distributed.md
job recurrence python $b/recurrence.py --rounds 10
job epoch python $b/epoch.py "${imdb[@]}"
job language_model python $b/language_model.py
job language_model_2 python $b/language_model.py --window 2
job memory python $b/memory.py
job scaling python $b/scaling.py --output "$runs/scaling"
job kills python $b/kills.py --data-dir "$data/tensorflow_datasets" --kills 100 --epochs 4 \
    --output "$runs/kills"

# docs/tables.md, docs/check.md and docs/drift.md
job tables python $b/tables.py
job large_table python $b/large_table.py --time-budget 15m --folder "$runs/large_table"
job label_errors python $b/label_errors.py --data "$data/trec6/train.csv" --data "$data/sst2/train.csv"
job drift python $b/drift.py --run "$runs/sst2" --run "$runs/trec6" --run "$runs/clinc150"

# docs/memory.md, docs/analysis.md and docs/streaming.md
job planted_word python $b/planted_word.py
job faithfulness python $b/faithfulness.py "$runs/imdb" "${imdb[@]}"
job memory_of_runs python $b/memory_of_runs.py "$runs/imdb" "$runs/sst2"
job tbptt_bias python $b/tbptt_bias.py
job tbptt_memory python $b/tbptt_memory.py
job stream python $b/stream.py "$runs/imdb_stream"
job stream_equality python $b/stream_equality.py "${imdb[@]}"
job early_exit python $b/early_exit.py "$runs/imdb_stream" "${imdb[@]}"

# docs/runtime.md, docs/serving.md, docs/export.md, docs/cluster.md, docs/cluster_capacity.md
train_and_test sst2
job answers python $b/answers.py "$runs/sst2" "${files[@]}"
job runtime python $b/runtime.py
job serving python $b/serving.py "$runs/sst2" --texts "$data/sst2/test.csv"
job export python $b/export.py
job export_server python $b/export.py --kind saved_model --kind onnx --length 256 --rounds 15
job export_memory python $b/export_memory.py "$runs/sst2"
job cluster_rows python $b/cluster_rows.py "$runs/sst2" --rows 2000000 --folder "$runs/cluster_rows"
job cluster_kills python $b/cluster_kills.py "$runs/sst2" --file "$data/sst2/test.csv" \
    --folder "$runs/cluster_kills"
job cluster_serving python $b/cluster_serving.py "$runs/sst2" --file "$data/sst2/test.csv" \
    --folder "$runs/cluster_serving"
job cluster_training python $b/cluster_training.py "$data/trec6/train.csv" \
    --folder "$runs/cluster_training"
job cluster_search python $b/cluster_search.py --train-file "$data/trec6/train.csv" \
    --folder "$runs/cluster_search"
job cluster_capacity python $b/cluster_capacity.py

echo "Not run: benchmarks/accelerator (a GPU), web_labels.py (MediaPipe's package for browsers)."
if [[ -n $before ]]; then
    python $b/changed.py "$before" "$results"
fi
