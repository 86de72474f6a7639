"""What the training rows are augmented from: methods, templates, synonyms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pyarrow as pa

from textbatch.errors import DataError, UsageError, storage_errors
from textbatch.model.fitting.settings import LabelledTokens
from textbatch.text.normalization import split_tokens
from textbatch.text.tokenizer import Tokenizer
from textbatch.text.vocabulary import Vocabulary
from textbatch.training.augment.alterations import Alterations
from textbatch.training.augment.labelled_templates import LabelledTemplates
from textbatch.training.augment.nearest_words import nearest_words
from textbatch.training.augment.rows import AugmentedRows, made_up_texts
from textbatch.training.augment.synonyms import (
    Phrase,
    Synonyms,
    example_texts,
    new_words,
    parse_groups,
)
from textbatch.training.config.train import TrainConfig
from textbatch.types import Float32Array, Int64Array

#: Texts to learn a new synonym from: enough for it to count as a known word and to get a vector.
_EXAMPLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What augmentation uses.

    Attributes:
        methods: The methods in use.
        templates: Templates for the method `templates`.
        groups: Groups of synonyms for the method `synonyms`.
    """

    methods: tuple[str, ...]
    templates: LabelledTemplates | None
    groups: Sequence[Sequence[Phrase]]

    def only(self, methods: tuple[str, ...]) -> Sources:
        """A copy with other methods, and without what these do not need."""
        return Sources(
            methods=methods,
            templates=self.templates if "templates" in methods else None,
            groups=self.groups if "synonyms" in methods else (),
        )

    def texts_to_learn_from(
        self,
        texts: pa.Array,
        label_ids: Int64Array,
        labels: tuple[str, ...],
        *,
        min_count: int,
        seed: int,
    ) -> pa.Array:
        """Add texts with the words that only templates and synonyms have.

        The vocabulary and the word vectors are learned from all these texts. The network is not
        fitted to them.

        Args:
            texts: The training texts. Shape `(rows,)`.
            label_ids: Their labels. Shape `(rows,)`.
            labels: The labels, in the order of their ids.
            min_count: Rarer words count as OOV.
            seed: Seed of everything that is drawn.

        Returns:
            The training texts, then the others. Shape `(texts,)`.
        """
        more = []
        if self.templates:
            random = Random(f"texts for the vocabulary {seed}")
            more.append(made_up_texts(random, self.templates, labels, label_ids)[0])
        if self.groups:
            tokens, _ = split_tokens(texts)
            known = Vocabulary.build(tokens, min_count=min_count, max_size=len(tokens) + 2)
            wider = Vocabulary(tokens=(*known.tokens, *new_words(self.groups, known)))
            encoded = Tokenizer(vocabulary=wider, max_sequence_length=2**31).encode(texts)
            examples = example_texts(self.groups, wider, encoded, per_phrase=_EXAMPLES)
            more.append(pa.array(examples, pa.large_string()))
        return pa.concat_arrays([texts.cast(pa.large_string()), *more])

    def rows(
        self,
        training: LabelledTokens,
        labels: tuple[str, ...],
        tokenizer: Tokenizer,
        vectors: Float32Array,
        *,
        seed: int,
    ) -> AugmentedRows | None:
        """The training rows of each epoch; None if they are always the same.

        Args:
            training: The labelled rows.
            labels: The labels, in the order of their ids.
            tokenizer: Made the token ids.
            vectors: The embedding table. Shape `(vocabulary_size, dim)`.
            seed: Seed of everything that is drawn.
        """
        if not self.methods:
            return None
        vocabulary = tokenizer.vocabulary
        alterations = Alterations(
            training.tokens,
            tuple(name for name in self.methods if name != "templates"),
            vocabulary=vocabulary,
            neighbours=nearest_words(vectors) if "neighbours" in self.methods else None,
            synonyms=Synonyms(self.groups, vocabulary) if self.groups else None,
        )
        return AugmentedRows(
            training,
            alterations=alterations,
            templates=self.templates,
            labels=labels,
            encode=tokenizer.encode,
            seed=seed,
        )


#: Nothing is augmented.
NO_SOURCES = Sources(methods=(), templates=None, groups=())


def read_sources(config: TrainConfig, labels: tuple[str, ...]) -> Sources:
    """Read the files that augmentation needs.

    Args:
        config: Names the files.
        labels: The labels of the training rows.

    Raises:
        InputNotFoundError: A file does not exist.
        DataError: A file is not UTF-8.
        UsageError: A file holds nothing of use, or templates for a label that no training row has.
    """
    templates, groups = None, []
    if config.template_file:
        name = str(config.template_file)
        templates = LabelledTemplates.parse(_read(config.template_file), name)
        if unknown := sorted(set(templates.patterns) - set(labels)):
            raise UsageError(
                f"{name} has patterns for '{unknown[0]}', which is no label of the training rows",
                "correct or remove it",
            )
    if config.synonyms:
        groups = parse_groups(_read(config.synonyms))
        if not groups:
            raise UsageError(
                f"{config.synonyms} has no line with two phrases", "put commas between synonyms"
            )
    return Sources(methods=config.augment_methods, templates=templates, groups=groups)


def _read(path: Path) -> str:
    with storage_errors(path, "cannot read"):
        data = path.read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8", "convert it") from error
