"""Texts to token ids, a chunk at a time, without a Python loop over rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from textbatch.text.choices import OnLong, Part
from textbatch.text.keras_text import kept_tokens
from textbatch.text.long_texts import kept_of_long, part_of_long
from textbatch.text.normalization import RULES_VERSION, split_tokens
from textbatch.text.vectorized_text import TextRules
from textbatch.text.vocabulary import OOV_ID, PAD_ID, Vocabulary
from textbatch.types import BoolArray, Int64Array, TokenBatch

#: What decides how texts are split: the rules, and which part of a very long text is looked at.
Splitting = tuple[TextRules | int, Part]


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitTexts:
    """The tokens of texts, row after row, whole.

    Attributes:
        tokens: All tokens. Shape `(tokens,)`.
        offsets: Row `i` has the tokens from `offsets[i]` to `offsets[i + 1]`. Shape `(rows + 1,)`.
        cut: True where only a part of the text was split. Shape `(rows,)`.
    """

    tokens: pa.Array
    offsets: Int64Array
    cut: BoolArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokenizer:
    """Turns texts into token ids. The bundle stores its vocabulary and its limit.

    Attributes:
        vocabulary: Known tokens and their ids.
        max_sequence_length: How many tokens the network reads at once.
        rules: How a model that was made with Keras splits texts; None for textbatch's own rules.
        version: Version of textbatch's own rules.
        on_long: What becomes of a text with more tokens. With `window` it stays whole.
    """

    vocabulary: Vocabulary
    max_sequence_length: int
    rules: TextRules | None = None
    version: int = RULES_VERSION
    on_long: OnLong = "auto"

    @property
    def splitting(self) -> Splitting:
        """What decides how `split` splits. Tokenizers in which it is equal can share its result."""
        return (self.rules.splitting if self.rules else self.version), self.part

    @property
    def part(self) -> Part:
        """Which part of a long text is used."""
        if self.on_long != "auto":
            return self.on_long
        return "tail" if self.rules is not None and self.rules.truncating == "pre" else "head"

    def encode(self, texts: pa.Array) -> TokenBatch:
        """Encode texts.

        Args:
            texts: Valid UTF-8 strings without nulls. Shape `(rows,)`.

        Returns:
            Token ids, cut to `max_sequence_length`, or with `window` whole. Rows without a token
            have length 0.
        """
        return self.encode_split(self.split(texts))

    def split(self, texts: pa.Array) -> SplitTexts:
        """Split texts into tokens, which no vocabulary has seen yet.

        Args:
            texts: Valid UTF-8 strings without nulls. Shape `(rows,)`.
        """
        texts, cut = part_of_long(texts, self.part)
        tokens, offsets = (
            self.rules.split_tokens(texts) if self.rules else split_tokens(texts, self.version)
        )
        return SplitTexts(tokens=tokens, offsets=offsets, cut=cut)

    def encode_split(self, texts: SplitTexts) -> TokenBatch:
        """Look up the tokens of texts that are split by now; see `encode`.

        Args:
            texts: Texts that this tokenizer has split, or one with the same `splitting`.
        """
        tokens, offsets = texts.tokens, texts.offsets
        token_ids = self.vocabulary.lookup(tokens)
        unknown = None
        if self.rules:
            # Rules of others may leave a text's "[PAD]" whole.
            token_ids = np.where(token_ids == PAD_ID, np.int32(OOV_ID), token_ids)
            if not self.rules.keep_unknown:
                known = token_ids != OOV_ID
                unknown = tokens.filter(pa.array(~known))
                offsets, token_ids = kept_tokens(offsets, known), token_ids[known]
                tokens = tokens.filter(pa.array(known))
        truncated = texts.cut
        if self.part != "window":
            lengths = np.diff(offsets)
            kept = np.minimum(lengths, self.max_sequence_length)
            if (long := lengths > kept).any():
                truncated = truncated | long
                inside = kept_of_long(offsets, self.max_sequence_length, self.part)
                token_ids, tokens = token_ids[inside], tokens.filter(pa.array(inside))
                offsets = np.concatenate([[0], np.cumsum(kept)])
        return TokenBatch(
            token_ids=token_ids,
            offsets=offsets,
            truncated=truncated,
            unknown=tokens.filter(pa.array(token_ids == OOV_ID)) if unknown is None else unknown,
        )
