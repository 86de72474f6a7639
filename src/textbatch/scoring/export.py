"""The path of `export`: a bundle becomes a model of other programs, compared with the bundle."""

from __future__ import annotations

import os
import time
from dataclasses import asdict, replace

from textbatch.data.storage.file_io import new_output
from textbatch.data.storage.new_tree import check_tree, write_tree
from textbatch.errors import BundleError
from textbatch.model.bundle.bundle import Bundle
from textbatch.model.bundle.fetch import load_placed
from textbatch.model.export.exported import Exported, export_bundle
from textbatch.model.replay import GOLDEN_TOLERANCE
from textbatch.report.exporting import Comparison, ExportReport
from textbatch.report.files import job_reported, only_warned, write_json
from textbatch.report.listener import SILENT, Listener
from textbatch.scoring.export_options import ExportConfig


def export_model(config: ExportConfig, *, listener: Listener = SILENT) -> ExportReport:
    """Write a model in the form of another program, whole or not at all.

    Args:
        config: Which model, where to, and in which form.
        listener: Gets messages.

    Raises:
        BundleError: The model is missing or damaged, or answers otherwise in that form.
        OutputError: The output exists and may not be replaced, or cannot be made there.
        ConflictError: The model cannot have that form.
        MissingExtraError: The form needs a library that is not installed.
        StorageError: Writing failed. What stood at the output is unchanged.
    """
    started = time.perf_counter()
    known = {"model": os.fspath(config.model), "output": os.fspath(config.output)}
    with job_reported(config, lambda: known):
        report = _export(config, listener)
    report = replace(report, seconds=round(time.perf_counter() - started, 1))
    if config.report:
        with only_warned(f"the report {config.report}", listener.log):
            write_json(config.report, report.to_dict())
    return report


def _export(config: ExportConfig, listener: Listener) -> ExportReport:
    overwrite = config.if_exists == "replace"
    is_file = config.form in ("onnx", "keras")
    if is_file:
        new_output(config.output).check(overwrite=overwrite)
    else:
        check_tree(config.output, overwrite=overwrite)
    bundle, place = load_placed(config.model)
    made = export_bundle(bundle, config.form, place)
    if not made.golden_rows.largest <= GOLDEN_TOLERANCE["f32"]:
        raise BundleError(
            "the exported model's answers to the golden rows are off by "
            f"{made.golden_rows.largest:.2g}",
            "report it; nothing was written",
        )
    if is_file:
        (data,) = made.files.values()
        new_output(config.output).write(data)
    else:
        write_tree(config.output, made.files, overwrite=overwrite)
    warnings = _warnings(made, bundle, config)
    for warning in warnings:
        listener.log(f"warning: {warning}")
    return ExportReport(
        model=os.fspath(config.model),
        output=os.fspath(config.output),
        format=config.form,
        fingerprint=bundle.fingerprint,
        bytes=sum(map(len, made.files.values())),
        golden_rows=Comparison(**asdict(made.golden_rows)),
        unknown_words=Comparison(**asdict(made.unknown_words)) if made.unknown_words else None,
        warnings=warnings,
        seconds=0.0,
    )


def _warnings(made: Exported, bundle: Bundle, config: ExportConfig) -> list[str]:
    told, part = [], bundle.settings.on_long
    if part not in (None, "head") and config.form != "mlflow":
        told.append(
            f"of texts with more than {bundle.classifier.tokenizer.max_sequence_length:,} tokens, "
            f"`score` reads {'all' if part == 'window' else f'the {part}'}; "
            "here the first ones count"
        )
    if made.unknown_words is None:
        return told
    found = made.unknown_words
    return [
        *told,
        (
            "left out: what the characters of unknown words add to the answers, which token ids do "
            f"not tell; on the model's {found.rows} golden rows with every second word misspelt, "
            f"probabilities differ by up to {found.largest:.2g}, and the label of "
            f"{found.other_labels} of them changes; without unknown words nothing differs"
        ),
    ]
