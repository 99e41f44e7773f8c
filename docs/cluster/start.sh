#!/bin/sh
# One worker of a cluster, started again until it ends well, twenty times at the most.
#
#   sh start.sh INDEX HOST:PORT HOST:PORT ... -- OPTIONS OF textrnn train
#
# On every machine the same but for the index, from 0.
set -eu
index=$1
shift
workers=
while [ "$1" != "--" ]; do
    workers="$workers${workers:+, }\"$1\""
    shift
done
shift
TF_CONFIG="{\"cluster\": {\"worker\": [$workers]}, \"task\": {\"type\": \"worker\", \"index\": $index}}"
export TF_CONFIG
tries=20
until textrnn train --resume-or-start "$@"; do
    status=$?
    tries=$((tries - 1))
    # 2: the options are wrong, 130: Ctrl-C. To try again will not help.
    case $status,$tries in 2,* | 130,* | *,0) exit $status ;; esac
    echo "worker $index ended with $status; starting it again" >&2
    sleep 5
done
