#!/usr/bin/env bash
# Packs lowered programs and the scripts that run them for a machine without TensorFlow or network.
#
#     benchmarks/accelerator/parcel.sh FOLDER [LIMIT_MIB]
#
# lower.py writes the programs, every cell and, for minGRU, every gradient source. The parcels
# FOLDER/parcel-1.tar.gz, parcel-2.tar.gz, ... stay under LIMIT_MIB (60). On the other machine:
#
#     for f in parcel-*.tar.gz; do tar xzf $f; done
#     python run_jax.py --precision highest programs/*.json
#     python torch_peer.py --packed
set -euo pipefail
folder=${1:?the folder for the parcels is missing}
limit=$((${2:-60} * 1024 * 1024))
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$folder"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python "$here/lower.py" --out "$work/programs"
python "$here/lower.py" --out "$work/programs" --batch 16 --length 64 --units 32 --cell mingru \
    --source truncated --source adversarial --source vat --source entropy \
    --source with-language-model --source accumulated --source bfloat16 --source pretraining
cp "$here/run_jax.py" "$here/torch_peer.py" "$work"

cd "$work"
number=1
parcel=(run_jax.py torch_peer.py)
size=0
close() {
    tar czf "$folder/parcel-$number.tar.gz" "${parcel[@]}"
    parcel=()
    size=0
    number=$((number + 1))
}
for module in programs/*.stablehlo; do
    stem=${module%.stablehlo}
    bytes=$(cat "$stem".* | gzip | wc -c)
    if ((size > 0 && size + bytes > limit)); then close; fi
    parcel+=("$stem".*)
    size=$((size + bytes))
done
close
ls -l "$folder"/parcel-*.tar.gz
