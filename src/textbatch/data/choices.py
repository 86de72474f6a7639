"""What inputs and outputs may be, and how much of them is held in memory."""

from __future__ import annotations

from typing import Literal

FileFormat = Literal["parquet", "csv", "jsonl"]
InputFormat = Literal["auto", FileFormat]
#: Formats for standard output; the names of files say theirs.
OutputKind = Literal["auto", "csv", "jsonl"]
#: What can have happened to a row; see `types.Status`.
StatusName = Literal[
    "ok",
    "truncated",
    "low_confidence",
    "no_known_tokens",
    "empty_text",
    "null_text",
    "bad_text",
    "windowed",
    "novel",
]
#: What quotes mean in CSV and TSV; see `readers.quoting`.
Quoting = Literal["auto", "none"]
#: What integer labels become that have names in the footer of their file.
LabelNaming = Literal["auto", "off"]
IfExists = Literal["fail", "replace", "skip"]
#: What a job over several files does where one of them is malformed.
OnBadFile = Literal["fail", "skip"]
#: Of commands that have no way to tell whether what is there is of the same job.
FailOrReplace = Literal["fail", "replace"]
#: Which parts of an output folder are scored anew.
Rescore = Literal["none", "stale"]
#: Whose workers score the files of a folder.
BackendName = Literal["local", "ray", "dask", "spark"]
#: Rows held in memory at a time: enough that sorting by length leaves little padding.
CHUNK_ROWS = 16_384
#: Bytes of a chunk, which long texts reach before its rows do.
CHUNK_BYTES = 16 << 20
#: The name of a model where a run has several: it begins the names of columns, which every reader
#: and every SQL takes without quotes.
MODEL_NAME, LONGEST_MODEL_NAME = "[A-Za-z][A-Za-z0-9_]*", 40
#: How many models a run may have: all of them are in memory.
MOST_MODELS = 8
