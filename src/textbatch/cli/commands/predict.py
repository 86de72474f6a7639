"""`textbatch predict`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textbatch.cli.command import Given
from textbatch.cli.console import print_advice, print_json, print_line, results
from textbatch.cli.own_process import start_without_pandas
from textbatch.options import option, options
from textbatch.report.labels import shown_label
from textbatch.scoring.show_options import PredictOptions

if TYPE_CHECKING:
    from textbatch.scoring.predict import Answer


_BEST = ("best label", "second", "third")
_COLUMNS = ("text", "status", *_BEST)
#: What a status says of one text. The others do not come up here.
_REASONS = {
    "truncated": "the text is long, and only a part of it was looked at",
    "windowed": "the text is long, and was looked at piece by piece",
    "no_known_tokens": "no label: the model knows none of its words",
    "empty_text": "no label: the text is empty",
    "bad_text": "no label: the text is not valid UTF-8",
}


@options
class PredictCommand(PredictOptions):
    """What `textbatch predict` takes."""

    json: bool = option(
        "Print each answer as a JSON object on a line.", default=False, decides=False
    )


def predict_command(given: Given[PredictCommand]) -> None:
    """Answer a few texts: the three best labels of each, with their confidences.

    Example: textbatch predict "where is my card" --model model

    A text that gives no evidence, since it is empty or all its words are unknown, gets no label.
    """
    config = given.made()
    start_without_pandas()
    from textbatch.report.next_steps import after_predict
    from textbatch.scoring.predict import predict_texts

    answers = predict_texts(config)
    if config.json:
        for answer in answers:
            print_json(answer.to_dict())
        return
    if config.texts == ("-",) or len(config.texts) > 1:
        from textbatch.report.terminal.rows import rows_table

        rows = [_row(answer) for answer in answers]
        table, _ = rows_table(rows, _COLUMNS, first=_COLUMNS[1:], width=results.width)
        results.print(table)
        print_advice(after_predict(config.model))
        return
    for answer in answers:
        if answer.status != "ok":
            print_line(f"{answer.status}: {_REASONS[answer.status]}")
        if answer.status == "ok" and not answer.labels:
            print_line("none of the labels")
        width = max((len(shown_label(one.label)) for one in answer.labels), default=0)
        for one in answer.labels:
            print_line(f"{shown_label(one.label):{width}}  {one.confidence:.3f}")
    print_advice(after_predict(config.model))


def _row(answer: Answer) -> dict[str, str]:
    best = [f"{shown_label(one.label)} {one.confidence:.3f}" for one in answer.labels]
    # A model that gives any number of labels may have more.
    best[2:] = [", ".join(best[2:])] if best[2:] else []
    return {"text": answer.text, "status": answer.status, **dict(zip(_BEST, best, strict=False))}
