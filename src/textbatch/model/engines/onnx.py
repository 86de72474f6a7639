"""The engine ONNX Runtime, on the CPU."""

from __future__ import annotations

import os

import joblib
import numpy as np

from textbatch.model.bundle.classifier import Classifier
from textbatch.model.choices import CPU_BATCH_TOKENS, Precision
from textbatch.model.engines.loop_graph import build_step_graph
from textbatch.model.engines.prefix_tree import prefix_tree
from textbatch.model.network.onnx_graph import with_weights
