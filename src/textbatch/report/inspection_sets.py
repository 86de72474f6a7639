"""What `inspect` tells of a model that gives a text any number of labels."""

from __future__ import annotations

from textbatch.report.inline import number
from textbatch.report.inspection import BundleInspection
from textbatch.report.labels import shown_label


def set_facts(found: BundleInspection) -> dict[str, str]:
    """Facts by name, which stand in place of those of a model for one label.

    Args:
        found: A bundle with `multi_label`.
    """
    assert found.multi_label is not None, "it gives a text any number of labels"
    curves = found.multi_label.curves
    told = (
        f"{shown_label(label)} from {one.threshold:.3f}"
        for label, one in zip(found.labels, curves, strict=True)
    )
    facts = {
        "labels": f"any number for each text: {', '.join(told)}",
        "temperature": f"none: each label has a curve of its own, fitted on "
        f"{found.calibration.rows:,} rows",
    }
    if test := found.metrics.get("multi_label_test"):
        measured = test["metrics"]
        facts["test"] = (
            f"micro F1 {number(measured['micro_f1'])}, macro F1 {number(measured['macro_f1'])}, "
            f"all labels right {number(measured['subset_accuracy'])} on {measured['rows']:,} rows"
        )
    return facts
