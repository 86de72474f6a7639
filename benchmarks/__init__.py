"""Measurements of textbatch beside its peers; see README.md."""

import os

# As textbatch does: ONNX Runtime reports its use to its maker unless told so before the import.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
