#!/bin/sh
# Run `textbatch score` with paths from the environment, for cron and the like.
set -eu

usage() {
    cat <<'END'
usage: TEXTBATCH_INPUT=... TEXTBATCH_OUTPUT=... TEXTBATCH_MODEL=... run.sh [FLAG ...]

Scores TEXTBATCH_INPUT with the model directory TEXTBATCH_MODEL into TEXTBATCH_OUTPUT (each
Parquet, CSV or JSONL), and writes the run's report beside it: out.parquet gets
out.report.json. Flags go on to `textbatch score`, for example --overwrite.

The command is the `textbatch` of PATH or, where cron knows none, that of ../.venv beside this
script. Exits with the code of `textbatch score`; 2 where a variable or the command is missing.
END
}

missing() {
    echo "run.sh: $1 is not set" >&2
    usage >&2
    exit 2
}

case ${1-} in
-h | --help)
    usage
    exit 0
    ;;
esac

[ -n "${TEXTBATCH_INPUT-}" ] || missing TEXTBATCH_INPUT
[ -n "${TEXTBATCH_OUTPUT-}" ] || missing TEXTBATCH_OUTPUT
[ -n "${TEXTBATCH_MODEL-}" ] || missing TEXTBATCH_MODEL

textbatch=$(command -v textbatch || echo "${0%/*}/../.venv/bin/textbatch")
if [ ! -x "$textbatch" ]; then
    echo "run.sh: there is no textbatch in PATH (${PATH-}), nor $textbatch; set PATH" >&2
    exit 2
fi

# exec: the command takes this process over, so signals reach it and its exit code is the job's.
exec "$textbatch" score \
    --model "$TEXTBATCH_MODEL" \
    --report "${TEXTBATCH_OUTPUT%.parquet}.report.json" \
    "$@" -- "$TEXTBATCH_INPUT" "$TEXTBATCH_OUTPUT"
