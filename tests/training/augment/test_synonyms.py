from __future__ import annotations

import numpy as np
import pyarrow as pa

from textbatch.text.tokenizer import Tokenizer
from textbatch.text.vocabulary import Vocabulary
from textbatch.training.augment.synonyms import Synonyms, example_texts, new_words, parse_groups

VOCABULARY = Vocabulary(tokens=("[PAD]", "[OOV]", "refund", "money", "back", "now", "please"))


def encode(*texts: str, vocabulary: Vocabulary = VOCABULARY):
    return Tokenizer(vocabulary=vocabulary, max_sequence_length=99).encode(pa.array(texts))


def test_groups_are_read_as_the_tokenizer_reads_texts():
    text = "# a comment\nRefund, money-back , REFUND\n\none phrase\nparcel, # half\n a b ,c,\n"
    assert parse_groups(text) == [[("money", "back"), ("refund",)], [("a", "b"), ("c",)]]


def test_a_phrase_in_two_groups_has_the_synonyms_of_both():
    synonyms = Synonyms(parse_groups("refund, money\nrefund, back"), VOCABULARY)
    spans = synonyms.find(encode("refund"))
    words = [[VOCABULARY.tokens[i] for i in other] for other in synonyms.others(spans.phrases[0])]
    assert sorted(words) == [["back"], ["money"]]


def test_longer_phrases_are_found_first_and_spans_never_overlap():
    synonyms = Synonyms(parse_groups("money back, refund\nmoney, now\nback, please"), VOCABULARY)
    spans = synonyms.find(encode("money back money", "back back", "zzz"))
    assert spans.starts.tolist() == [0, 2, 3, 4]
    assert spans.lengths.tolist() == [2, 1, 1, 1]


def test_texts_without_a_phrase_have_no_spans():
    for groups in ([], parse_groups("refund, unheard of")):
        spans = Synonyms(groups, VOCABULARY).find(encode("refund now"))
        assert len(spans.starts) == len(spans.phrases) == 0


def test_drawing_takes_every_synonym_and_never_the_phrase_itself():
    synonyms = Synonyms(parse_groups("refund, money, now"), VOCABULARY)
    phrase = synonyms.find(encode("refund")).phrases
    drawn = synonyms.draw(np.repeat(phrase, 100), np.random.default_rng(0))
    assert {VOCABULARY.tokens[other[0]] for other in drawn} == {"money", "now"}


def test_new_words_are_those_of_groups_that_the_training_texts_know():
    groups = parse_groups("refund, reimbursement, pay back\nlorry, truck")
    assert new_words(groups, VOCABULARY) == ["pay", "reimbursement"]


def test_examples_show_new_words_in_the_place_of_known_ones_and_no_unknown_word():
    groups = parse_groups("refund, reimbursement, money")
    wider = Vocabulary(tokens=(*VOCABULARY.tokens, *new_words(groups, VOCABULARY)))
    tokens = encode("please zzz refund now", "money now", "refund", "back", vocabulary=wider)
    assert example_texts(groups, wider, tokens, per_phrase=2) == [
        "please reimbursement now",
        "reimbursement now",
    ]
