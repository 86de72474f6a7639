"""`textbatch vectors`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

from textbatch.cli.console import event, log_as, print_json, print_line, progress, say
from textbatch.cli.options import JsonOption, LogFormatOption, OverwriteOption
from textbatch.model.choices import Algorithm
from textbatch.training.config.vectors import VectorsConfig


def vectors_command(
    texts: Annotated[
        list[Path],
        typer.Argument(help="Parquet, CSV or JSONL files, or .txt files with a text on each line."),
    ],
    output: Annotated[Path, typer.Argument(help=".vec or .vec.gz file to write.")],
    algorithm: Annotated[
        Algorithm, typer.Option(help="fasttext also learns parts of words, in twice the time.")
    ] = "word2vec",
    dim: Annotated[int, typer.Option(help="Numbers in a vector.")] = 100,
    window: Annotated[int, typer.Option(help="Words to each side that count as context.")] = 8,
    epochs: Annotated[int, typer.Option(help="Passes over the texts.")] = 5,
    min_count: Annotated[int, typer.Option(help="Rarer words get no vector.")] = 5,
    words: Annotated[
        Path | None,
        typer.Option(help="A .txt file of more words for fasttext to make up vectors for."),
    ] = None,
    text_column: Annotated[str, typer.Option(help="Column that holds the text.")] = "text",
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
    log_format: LogFormatOption = "text",
) -> None:
    """Train word vectors on texts, for `train --vectors`.

    Example: textbatch vectors tickets.parquet mails.txt.gz ours.vec.gz

    Any amount of text is streamed; one seed gives the same vectors every time.
    """
    log_as(log_format, command="vectors", run_id=uuid4().hex[:16])
    config = VectorsConfig(
        inputs=tuple(texts),
        output=output,
        algorithm=algorithm,
        dim=dim,
        window=window,
        epochs=epochs,
        min_count=min_count,
        words=words,
        text_column=text_column,
        seed=seed,
        if_exists="replace" if overwrite else "fail",
    )
    from textbatch.training.vectors import train_vectors

    shown = progress()
    try:
        done = train_vectors(config, say=say, progress=shown)
    finally:
        shown.end()
    if done.undecodable:
        say(f"warning: {done.undecodable:,} texts are not valid UTF-8; they are left out")
    event("finished", done.to_dict())
    if json:
        print_json(done.to_dict())
        return
    print_line(
        f"{done.output}: {done.words:,} words, {done.dim} dimensions, from "
        f"{done.tokens:,} words of {done.texts:,} texts in {done.seconds:.1f} s "
        f"({done.tokens_per_second:,.0f} words/s in training)"
    )
