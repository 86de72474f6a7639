"""Training models and word vectors.

`python -m tools.python_api` writes the parameters from the classes of options.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textbatch.data.choices import FailOrReplace, InputFormat, LabelNaming, Quoting
from textbatch.data.storage.location import PathLike
from textbatch.model.choices import Algorithm, Cell, Pooling
from textbatch.report.listener import messages_to
from textbatch.report.multi_label import MultiLabelReport
from textbatch.report.training import TrainReport
from textbatch.report.vectors import VectorsReport
from textbatch.text.choices import OnLong
from textbatch.training.config.groups import Preset
from textbatch.training.config.train import BlendMode, TrainConfig
from textbatch.training.config.vectors import VectorsConfig
from textbatch.training.multi_label import train_multi_label
from textbatch.training.train import train as train_files
from textbatch.training.vectors import train_vectors as train_vectors_file


def train(
    inputs: PathLike | Sequence[PathLike],
    *,
    model: PathLike = "model",
    text_column: str = "text",
    label_column: str = "label",
    vectors: PathLike | Sequence[PathLike] = (),
    installed_vectors: bool = True,
    unlabelled: PathLike | Sequence[PathLike] = (),
    keep_vectors: int = 20_000,
    cell: Cell | None = None,
    layers: int | None = None,
    units: Sequence[int] | None = None,
    bidirectional: bool | None = None,
    pooling: Pooling | None = None,
    on_long: OnLong = "auto",
    blend: BlendMode = "auto",
    require_baseline: bool = False,
    report_texts: bool = False,
    refit: bool = False,
    self_train: bool = False,
    folds: int = 0,
    quick: bool = False,
    time_budget: float = 600,
    out_of_fold: PathLike | None = None,
    resume: bool = False,
    augment: str = "none",
    template_file: PathLike | None = None,
    synonyms: PathLike | None = None,
    multi_label: bool = False,
    soft_labels: str | None = None,
    confidence_column: str | None = None,
    teacher: PathLike | None = None,
    min_rows_per_label: int | None = None,
    other: str | None = None,
    weight_column: str | None = None,
    skip_unlabelled: bool = False,
    normalize_labels: bool = False,
    label_names: LabelNaming = "auto",
    input_format: InputFormat = "auto",
    encoding: str | None = None,
    delimiter: str | None = None,
    quoting: Quoting = "auto",
    null_text: Sequence[str] = (),
    join_lists: str | None = None,
    quarantine: PathLike | None = None,
    max_bad_rows: int | str | None = None,
    label_separator: str | None = None,
    update: PathLike | None = None,
    old_rows: PathLike | None = None,
    validation: PathLike | None = None,
    test: PathLike | None = None,
    preset: Preset = "default",
    settings: PathLike | None = None,
    seed: int = 0,
    jobs: int | None = None,
    if_exists: FailOrReplace = "fail",
    report: PathLike | None = None,
    log: Callable[[str], None] | None = None,
) -> TrainReport | MultiLabelReport:
    """Train a model and write its bundle.

    Args:
        inputs: Labelled Parquet, CSV or JSONL files; folders; quoted globs; - for stdin.
        model: Directory to write.
        text_column: Column that holds the text.
        label_column: Column that holds the label.
        vectors: Pretrained word vectors: a word2vec, GloVe or fastText file, or one of wordllama,
            glove-wiki-gigaword-100, word2vec-google-news-300, fasttext-wiki-news-subwords-300.
        installed_vectors: Let the linear model learn from the word vectors of the package
            wordllama, if it is installed and held-out rows gain. Not beside --vectors.
        unlabelled: Texts to train word vectors on too; .txt files have one on each line.
        keep_vectors: Words to keep that have a vector, but are not in the training texts.
        cell: Cell of the recurrent layers. None means the preset's.
        layers: Number of recurrent layers. None means the preset's.
        units: Widths of the layers, or one width for all; in each direction. None means the
            preset's.
        bidirectional: Read texts in both directions, or in one. None means the preset's.
        pooling: What is taken of the last layer's states. None means the preset's.
        on_long: Of texts longer than the model reads, the part that it uses, or windows over all of
            it; auto: the one that held-out rows gain by, else head.
        blend: Add a linear model if held-out rows gain by it.
        require_baseline: Fail if a simple model is better.
        report_texts: Quote the texts of the surest mistakes in the HTML report.
        refit: With --quick or --validation, fit again at the end, to training and validation rows.
        self_train: Learn from the surest answers to --unlabelled, if this helps.
        folds: Folds of the cross-fitting, or of the cross-validation before a single split. None
            means up to 5, as the time budget allows.
        quick: Train once, on one split, instead of once for each fold and once on all rows.
        time_budget: Seconds that training may take on two cores: fewer folds where more would not
            fit.
        out_of_fold: Parquet file for the answers of the folds. None means beside the model.
        resume: Say so if there is no interrupted run to go on from; without it, train goes on too.
        augment: none, auto (kept if validation improves), all, or, with commas between, some of
            templates, synonyms, neighbours, swap, delete, typos.
        template_file: TOML file with patterns that texts of the labels are made from.
        synonyms: File of synonyms: one group on each line, with commas between.
        multi_label: Rows have any number of labels: a list, or a text with --label-separator.
        soft_labels: Column with labels and their shares, as a struct, a map or a JSON object;
            instead of --label-column. None means each row has one label.
        confidence_column: Column that tells how sure each label is, from 0 to 1. None means the
            labels are sure.
        teacher: Model whose answers to the training rows count half, beside their labels.
        min_rows_per_label: Leave out the rows of labels that have fewer. None means fewer than 3
            are an error.
        other: Give the rows of rare labels this one instead of leaving them out. None means they
            are left out.
        weight_column: Column with a number that tells how much the row counts; 0 leaves it out.
            None means all rows count the same.
        skip_unlabelled: Leave out rows without a label.
        normalize_labels: Labels that differ only by case, blanks or the form of letters are one.
        label_names: Names of integer labels in the footer of Hugging Face's Parquet; off takes the
            integers.
        input_format: Format of the input; auto takes it from the file name.
        encoding: Encoding of CSV and JSONL files. None means UTF-8.
        delimiter: Character between the cells of CSV files. None means a tab in .tsv, else a comma.
        quoting: Quotes in CSV files; none reads " as any other character.
        null_text: A text that means a missing one.
        join_lists: Join texts that are lists of strings, with this between. None means refuse them.
        quarantine: Leave out rows that cannot be read; list them in this JSONL file.
        max_bad_rows: Fail if more rows than this cannot be read. None means any number, with
            --quarantine.
        label_separator: What stands between the labels of a row, as ';', where they are one text.
            None means the column holds lists.
        update: Model to go on from: its words, network and labels. The inputs are rows that it has
            not seen.
        old_rows: Labelled file that the model of --update learned from, to learn from again; it
            measures nothing.
        validation: Labelled file that stops training early and calibrates.
        test: Labelled file for the reported metrics.
        preset: Network, and how it is trained.
        settings: TOML or JSON file with settings of the recipe.
        seed: Seed of everything random.
        jobs: Folds that are trained at the same time. None means one per core.
        if_exists: What to do if the output exists.
        report: Write the run's report to this JSON file, on failure too.
        log: Called with each message, one line.

    Returns:
        The report.

    Raises:
        TextbatchError: Its subclass tells the kind of error.
    """
    config, listener = TrainConfig.given(locals()), messages_to(log)
    if config.multi_label:
        return train_multi_label(config, listener=listener)
    return train_files(config, listener=listener)


def train_vectors(
    inputs: PathLike | Sequence[PathLike],
    output: PathLike,
    *,
    text_column: str = "text",
    algorithm: Algorithm = "word2vec",
    dim: int = 100,
    window: int = 8,
    epochs: int = 5,
    min_count: int = 5,
    words: PathLike | None = None,
    seed: int = 0,
    input_format: InputFormat = "auto",
    encoding: str | None = None,
    delimiter: str | None = None,
    quoting: Quoting = "auto",
    null_text: Sequence[str] = (),
    join_lists: str | None = None,
    quarantine: PathLike | None = None,
    max_bad_rows: int | str | None = None,
    if_exists: FailOrReplace = "fail",
    log: Callable[[str], None] | None = None,
) -> VectorsReport:
    """Train word vectors on texts.

    Args:
        inputs: Parquet, CSV or JSONL files, .txt with a text a line; folders; globs; - for stdin.
        output: .vec or .vec.gz file to write.
        text_column: Column that holds the text.
        algorithm: fasttext also learns parts of words, in twice the time.
        dim: Dimensions of a vector.
        window: Words on each side that count as context.
        epochs: Epochs: how often training goes through the texts.
        min_count: Rarer words get no vector.
        words: A .txt file of more words, which fasttext makes vectors for.
        seed: Seed of everything random.
        input_format: Format of the input; auto takes it from the file name.
        encoding: Encoding of CSV and JSONL files. None means UTF-8.
        delimiter: Character between the cells of CSV files. None means a tab in .tsv, else a comma.
        quoting: Quotes in CSV files; none reads " as any other character.
        null_text: A text that means a missing one.
        join_lists: Join texts that are lists of strings, with this between. None means refuse them.
        quarantine: Leave out rows that cannot be read; list them in this JSONL file.
        max_bad_rows: Fail if more rows than this cannot be read. None means any number, with
            --quarantine.
        if_exists: What to do if the output exists.
        log: Called with each message, one line.

    Raises:
        TextbatchError: Its subclass tells the kind of error. An older output is unchanged.
    """
    return train_vectors_file(VectorsConfig.given(locals()), listener=messages_to(log))
