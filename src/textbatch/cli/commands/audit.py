"""`textbatch audit`."""

from __future__ import annotations

from textbatch.cli.command import Given
from textbatch.cli.console import log, print_record, progress_shown, told_if_possible
from textbatch.cli.options import PrintOptions
from textbatch.cli.then_train import train_words
from textbatch.options import options
from textbatch.training.config.audit import AuditConfig


@options
class AuditCommand(AuditConfig, PrintOptions):
    """What `textbatch audit` takes."""


def audit_command(given: Given[AuditCommand]) -> None:
    """List rows whose label is likely wrong.

    Example: textbatch audit tickets.csv --output label-errors.csv

    Every row is answered by a network that has not seen it. Needs cleanlab,
    the extra `audit`.
    """
    from textbatch.report.files import failure_reported

    with failure_reported(given["report"], lambda: {"output": str(given["output"])}):
        config = given.made()
    from textbatch.report.next_steps import after_audit
    from textbatch.report.terminal.audit import audit_tables
    from textbatch.training.audit import audit

    with progress_shown() as shown:
        done = audit(config, listener=shown)
    for warning in done.warnings:
        log(f"warning: {warning}")
    words = train_words(given, config)
    with told_if_possible():
        print_record(
            done.to_dict(),
            lambda: [*audit_tables(done), *after_audit(done.output, words)],
            as_json=config.json,
        )
