"""`textbatch show`."""

from __future__ import annotations

from textbatch.cli.command import Given
from textbatch.cli.console import log, print_advice, print_json, print_line, results
from textbatch.cli.own_process import start_without_pandas
from textbatch.options import option, options
from textbatch.scoring.show_options import ShowOptions


@options
class ShowCommand(ShowOptions):
    """What `textbatch show` takes."""

    json: bool = option("Print each row as a JSON object on a line.", default=False, decides=False)


def show_command(given: Given[ShowCommand]) -> None:
    """Show rows of an output: the first ones, or the first that fit.

    Example: textbatch show out.parquet --below 0.6

    It prints what is in the cells. Filters go together: --status low_confidence --label billing.
    Cells are cut to the width of the terminal; --json prints them whole.
    """
    from textbatch.report.next_steps import after_show
    from textbatch.report.terminal.rows import rows_table
    from textbatch.scoring.show import show_rows

    config = given.made()
    start_without_pandas()
    found = show_rows(config)
    if config.json:
        for row in found.rows:
            print_json(row)
        return
    if not found.rows:
        print_line(f"{found.path}: no such row")
        print_advice(after_show(config.output))
        return
    table, hidden = rows_table(found.rows, found.columns, first=found.answers, width=results.width)
    results.print(table)
    if hidden:
        log(f"no room for {', '.join(hidden)}; name fewer with --columns, or add --json")
    print_advice(after_show(config.output))
