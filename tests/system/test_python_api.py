from __future__ import annotations

import importlib.util
import inspect
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.bundles import LABELS

import textbatch
from textbatch.errors import BundleError, ConflictError, DataError, UsageError
from textbatch.model.options import EngineOptions
from textbatch.options import option, options
from textbatch.scoring.config import ScoreConfig
from textbatch.training.config.train import TrainConfig
from textbatch.training.config.vectors import VectorsConfig

WIDE = {"probabilities": True, "top_k": 2, "min_confidence": 0.5}
ADDED = ["predicted_label", "confidence", "status", "probabilities", "top_labels"]


@pytest.fixture(scope="module")
def loaded(model):
    with textbatch.load(model) as loaded:
        yield loaded


@pytest.fixture(scope="module")
def python_api():
    path = Path(__file__).parents[2] / "tools" / "python_api.py"
    spec = importlib.util.spec_from_file_location("python_api", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def written(input_file, model, tmp_path) -> pa.Table:
    textbatch.score(input_file, tmp_path / "out.parquet", model=model, **WIDE)
    return pq.read_table(tmp_path / "out.parquet")


# --- tables in memory


def test_a_table_in_memory_is_scored_as_a_file_is(loaded, input_file, written):
    table = pq.read_table(input_file)
    assert loaded.score_table(table, **WIDE).combine_chunks().equals(written.combine_chunks())
    pieces = [table.slice(0, 1), table.slice(1, 0), table.slice(1, 200), table.slice(201)]
    chunked = pa.concat_tables(pieces)
    assert chunked["text"].num_chunks >= 3
    assert loaded.score_table(chunked, **WIDE).to_pylist() == written.to_pylist()


@pytest.mark.parametrize(
    "kind", [pa.large_string(), pa.binary(), pa.dictionary(pa.int8(), pa.string())]
)
def test_the_texts_arrow_type_passes_through(loaded, texts, written, kind):
    texts = pa.array(texts[:60], pa.string()).cast(kind)
    scored = loaded.score_table(pa.table({"text": texts}), **WIDE)
    assert scored["text"].type == kind
    assert scored.select(ADDED).to_pylist() == written.slice(0, 60).select(ADDED).to_pylist()


def test_a_frame_keeps_index_types_and_odd_names_and_gets_the_same_answers(loaded, texts, written):
    index = pd.Index([7] * 100 + list(range(400)), name="odd")
    frame = pd.DataFrame(
        {
            "text": texts,
            0: np.arange(500, dtype=np.int16),
            ("a", 1): pd.Categorical(["x", "y"] * 250),
            "when": pd.date_range("2024-01-01", periods=500, tz="Europe/Berlin"),
            "mixed": [1, "one"] * 250,
        },
        index=index,
    )
    before = frame.copy(deep=True)
    scored = loaded.score_table(frame, **WIDE)
    pd.testing.assert_frame_equal(frame, before)
    pd.testing.assert_frame_equal(scored[list(frame.columns)], before)
    assert scored.index.equals(index)
    assert scored.index.name == "odd"
    expected = written.to_pandas()
    for column in ("predicted_label", "confidence", "status"):
        pd.testing.assert_series_equal(
            scored[column].reset_index(drop=True), expected[column], check_names=False
        )
    for column in ("probabilities", "top_labels", "top_confidences"):
        for left, right in zip(scored[column], expected[column], strict=True):
            assert (left is None and right is None) or np.array_equal(left, right)


@pytest.mark.parametrize(
    "index",
    [
        pd.RangeIndex(5, 15, 2),
        pd.MultiIndex.from_product([["a"], range(5)], names=["x", None]),
        pd.Index([np.nan] * 5),
        pd.date_range("2024-01-01", periods=5),
    ],
    ids=["range", "multi", "nan", "dates"],
)
def test_any_index_stays(loaded, index):
    frame = pd.DataFrame({"text": ["refund", "login", None, "", "zzz"]}, index=index)
    scored = loaded.score_table(frame)
    pd.testing.assert_index_equal(scored.index, index, exact=True)
    assert scored["status"].tolist() == [
        *("ok", "ok", "null_text", "empty_text", "no_known_tokens"),
    ]


@pytest.mark.parametrize(
    "texts",
    [
        pd.Series(["refund", None], dtype=object),
        pd.Series(["refund", np.nan], dtype=object),
        pd.Series(["refund", pd.NA], dtype=object),
        pd.Series(["refund", None], dtype="str"),
        pd.Series(["refund", None], dtype="string"),
        pd.Series(["refund", None], dtype="category"),
        pd.Series(["refund", None], dtype=pd.ArrowDtype(pa.string())),
        pd.Series([b"refund", None], dtype=object),
    ],
)
def test_missing_texts_of_a_frame_are_null_texts(loaded, texts):
    scored = loaded.score_table(pd.DataFrame({"text": texts}))
    assert scored["status"].tolist() == ["ok", "null_text"]
    assert scored["text"].dtype == texts.dtype


@pytest.mark.parametrize("rows", [0, 1])
def test_small_tables_come_back_with_all_columns(loaded, rows):
    frame = pd.DataFrame({"text": pd.Series(["refund"] * rows, dtype="str"), "n": [1] * rows})
    scored = loaded.score_table(frame, **WIDE)
    assert list(scored.columns) == ["text", "n", *ADDED, "top_confidences"]
    assert len(scored) == rows
    assert list(scored["predicted_label"].cat.categories) == list(LABELS)
    table = pa.table({"text": pa.array(["refund"] * rows, pa.string())})
    assert loaded.score_table(table, **WIDE).column_names == ["text", *ADDED, "top_confidences"]


def test_another_text_column_and_a_prefix(loaded):
    table = pa.table({"body": ["refund"], "confidence": [7]})
    scored = loaded.score_table(table, text_column="body", prefix="my_")
    assert scored.column_names[:3] == ["body", "confidence", "my_predicted_label"]
    for clashing in (table, table.to_pandas()):
        with pytest.raises(ConflictError, match="already has a column 'confidence'"):
            loaded.score_table(clashing, text_column="body")


def test_columns_that_are_no_text_are_refused_without_quoting_them(loaded):
    secret = "Jane Doe"
    for table, message in (
        (pa.table({"other": ["a"]}), "no single column 'text'"),
        (pa.table({"text": [1]}), "holds int64, not text"),
        (pa.Table.from_arrays([pa.array(["a"])] * 2, names=["text"] * 2), "no single column"),
        (pd.DataFrame({"other": ["a"]}), "no single column 'text'"),
        (pd.DataFrame([["a", "b"]], columns=["text", "text"]), "no single column"),
        (pd.DataFrame({"text": [1.5]}), "not text"),
        (pd.DataFrame({"text": [secret, 7]}), "does not hold text only"),
        (pd.DataFrame({"text": [secret, [secret]]}), "does not hold text only"),
    ):
        with pytest.raises(DataError, match=message) as caught:
            loaded.score_table(table)
        assert secret not in str(caught.value)


def test_predict_answers_plain_texts(loaded):
    predictions = loaded.predict(["refund the card", None])
    assert predictions.probabilities.shape == (2, len(LABELS)) == (2, len(loaded.labels))
    table = loaded.score_table(pa.table({"text": ["refund the card"]}))
    assert table["confidence"][0].as_py() == predictions.probabilities[0].max()


def test_a_closed_model_does_not_answer(model):
    loaded = textbatch.load(str(model))
    loaded.close()
    with pytest.raises(RuntimeError):
        loaded.predict(["refund"])


# --- functions and settings


def test_the_functions_parameters_are_written_from_their_options(python_api):
    for path, text in python_api.sources().items():
        assert path.read_text("utf-8") == text, "run `make reference`"


@pytest.mark.parametrize(
    "function",
    [
        textbatch.score,
        textbatch.train,
        textbatch.evaluate,
        textbatch.load,
        textbatch.train_vectors,
        textbatch.from_keras,
        textbatch.import_keras,
        textbatch.export,
        textbatch.promote,
        textbatch.rollback,
        textbatch.tune,
        textbatch.audit,
        textbatch.normalize,
        textbatch.Model.score_table,
        textbatch.Model.predict,
    ],
)
def test_help_explains_every_parameter(function):
    explained = re.findall(r"^    (\w+): \S", inspect.getdoc(function).partition("Args:")[2], re.M)
    taken = [name for name in inspect.signature(function).parameters if name != "self"]
    assert [name for name in explained if name in taken] == taken


def test_a_parameter_of_a_new_option_is_written_by_itself(python_api):
    @options
    class Variant(EngineOptions):
        shades: tuple[Path, ...] = option("Of grey.", argument=True, use="read")
        depth: int | None = option("Of the sea.", default=None, unset="the deepest")

    source = """
def load(path: str, old: int, *, gone: int = 0) -> Model:
    \"\"\"Load.

    Args:
        path: By hand.
        gone: No more.

    Raises:
        Wrath: Yes.
    \"\"\"
    return gone
"""
    text = python_api.rewritten(source, "load", Variant, ("path",))
    compile(text, "api.py", "exec")
    assert "    path: str,\n    shades: PathLike | Sequence[PathLike],\n    *,\n" in text
    assert "    depth: int | None = None,\n" in text
    assert "        path: By hand.\n        shades: Of grey.\n" in text
    assert "        depth: Of the sea. None means the deepest.\n" in text
    assert "        Wrath: Yes." in text
    assert text.endswith("    return gone\n")
    assert "gone: No more" not in text


def test_every_setting_arrives(monkeypatch, tmp_path):
    from textbatch.scoring import api as scoring
    from textbatch.training import api as training

    seen = []
    monkeypatch.setattr(scoring, "score_file", lambda config, *, progress: seen.append(config))
    monkeypatch.setattr(training, "train_files", lambda config, *, listener: seen.append(config))
    monkeypatch.setattr(
        training, "train_vectors_file", lambda config, *, listener: seen.append(config)
    )
    odd_reading = {
        "input_format": "csv", "encoding": "latin-1", "delimiter": ";", "quoting": "none",
        "null_text": ("-",), "join_lists": "\n",
    }  # fmt: skip
    odd_score = {
        **odd_reading,
        "model": tmp_path / "m", "text_column": "t", "columns": ("a", "b"), "prefix": "p",
        "probabilities": True, "top_k": 3, "min_confidence": 0.25, "min_precision": 0.5,
        "strict_precision": True, "label_sets": 0.75,
        "max_bad_rows": 4, "min_rows": 1, "bad_files": "skip", "max_bad_files": 5,
        "quarantine": tmp_path / "q", "quarantine_text": True, "if_exists": "replace",
        "engine": "tensorflow", "device": "cpu", "threads": 5, "jobs": 2,
        "chunk_rows": 6, "batch_tokens": 7, "dry_run": True,
        "report": tmp_path / "r", "partition_columns": True, "work_dir": tmp_path / "w",
        "strict_types": True, "early_exit": True, "on_long": "tail", "explain": 2,
        "novelty": True, "max_novelty": 0.25, "warn_on_drift": True, "fail_on_drift": True,
        "cache": tmp_path / "c", "cache_mib": 5, "drift_history": tmp_path / "h",
    }  # fmt: skip
    # These exclude others.
    odd_backend = {"backend": "ray", "address": "h:1", "gpus_per_worker": 0.5}
    odd_folder = {"incremental": True, "rescore": "stale", "precision": "int8", **odd_backend}
    odd_shards = {"shard_rows": 9, "shard": "1/2"}
    odd_stdout = {"output_format": "csv"}
    odd_priors = {"adapt_priors": True}
    odd_several = {"multi_label": True, "label_separator": ";"}
    odd_train = {
        "model": tmp_path / "m", "text_column": "t", "label_column": "l",
        "weight_column": "w", "soft_labels": "s", "on_long": "tail", "teacher": tmp_path / "t",
        "validation": tmp_path / "v", "test": tmp_path / "x", "preset": "large", "seed": 9,
        "if_exists": "replace", "report": tmp_path / "r", "cell": "gru", "layers": 3, "units": (4,),
        "bidirectional": False, "pooling": "max",
        "vectors": (tmp_path / "w",), "unlabelled": (tmp_path / "u", tmp_path / "z"),
        "keep_vectors": 8, "installed_vectors": False,
        "blend": "off", "require_baseline": True, "report_texts": True,
        "refit": True, "self_train": True, "quick": True, "time_budget": 77.0,
        "settings": tmp_path / "s", "folds": 3, "jobs": 2, "out_of_fold": tmp_path / "o",
        "resume": True, "augment": "templates,synonyms", "template_file": tmp_path / "f",
        "synonyms": tmp_path / "y", "skip_unlabelled": True, "normalize_labels": True,
        "label_names": "off",
        "min_rows_per_label": 5, "other": "rest", "quarantine": tmp_path / "q",
        "max_bad_rows": "2%", **odd_reading,
    }  # fmt: skip
    odd_vectors = {
        **odd_reading,
        "algorithm": "fasttext", "dim": 3, "window": 4, "epochs": 6, "min_count": 7,
        "words": tmp_path / "w", "text_column": "t", "seed": 9, "if_exists": "replace",
        "quarantine": tmp_path / "q", "max_bad_rows": 5,
    }  # fmt: skip
    textbatch.score(tmp_path / "i", tmp_path / "o", **odd_score)
    textbatch.train([tmp_path / "i", str(tmp_path / "j")], **odd_train)
    textbatch.train_vectors([tmp_path / "i"], tmp_path / "o.vec", **odd_vectors)
    assert seen == [
        ScoreConfig(inputs=(tmp_path / "i",), output=tmp_path / "o", **odd_score),
        TrainConfig(inputs=(tmp_path / "i", tmp_path / "j"), **odd_train),
        VectorsConfig(inputs=(tmp_path / "i",), output=tmp_path / "o.vec", **odd_vectors),
    ]
    monkeypatch.setattr(
        "textbatch.training.api.train_multi_label", lambda config, **_: seen.append(config)
    )
    textbatch.train(tmp_path / "i", **odd_several)
    several = seen.pop()
    assert (several.multi_label, several.label_separator) == (True, ";")
    textbatch.score(tmp_path / "i", tmp_path / "o", **odd_folder)
    folder = seen.pop()
    assert (folder.precision, folder.incremental) == ("int8", True)
    assert folder.rescore == "stale"
    textbatch.score(tmp_path / "i", tmp_path / "o", **odd_shards)
    shards = seen.pop()
    assert (shards.shard_rows, shards.shard) == (9, "1/2")
    textbatch.score(tmp_path / "i", "-", **odd_stdout)
    assert seen.pop().output_format == "csv"
    textbatch.score(tmp_path / "i", tmp_path / "o", **odd_priors)
    assert seen.pop().adapt_priors
    odd_doubt = {"confidence_column": "c"}
    textbatch.train(tmp_path / "i", **odd_doubt)
    assert seen.pop().confidence_column == "c"
    odd_update = {"update": tmp_path / "m", "old_rows": tmp_path / "r"}
    textbatch.train(tmp_path / "i", **odd_update)
    assert (seen[-1].update, seen.pop().old_rows) == (tmp_path / "m", tmp_path / "r")
    for config, given in zip(seen, (odd_score, odd_train, odd_vectors), strict=True):
        plain = type(config)
        untried = {f.name for f in fields(plain) if f.default == getattr(config, f.name)}
        tried = {*odd_folder, *odd_shards, *odd_stdout, *odd_priors, *odd_doubt, *odd_update}
        tried |= {*odd_several}
        assert untried <= {*tried, "as_folder", "partitions"}, (
            "this test must give each setting an odd value"
        )
        assert given.keys() <= {f.name for f in fields(plain)}


def test_strings_and_paths_are_the_same(input_file, model, tmp_path, monkeypatch):
    by_path = textbatch.score(input_file, tmp_path / "a.parquet", model=model)
    by_name = textbatch.score(str(input_file), str(tmp_path / "b.parquet"), model=str(model))
    assert (by_path.state, by_path.statuses) == (by_name.state, by_name.statuses)
    assert pq.read_table(tmp_path / "a.parquet").equals(pq.read_table(tmp_path / "b.parquet"))
    labelled = tmp_path / "labelled.parquet"
    pq.write_table(pa.table({"text": ["refund", "login"], "label": list(LABELS[:2])}), labelled)
    one = textbatch.evaluate(str(labelled), model=str(model))
    assert one == textbatch.evaluate([labelled], model=model)


def test_mistakes_raise_textbatch_errors(model, input_file, tmp_path):
    with pytest.raises(BundleError):
        textbatch.load(tmp_path / "missing")
    with pytest.raises(UsageError, match="--top-k"):
        textbatch.score(input_file, tmp_path / "out.parquet", model=model, top_k=-1)
    with pytest.raises(UsageError, match="no input file"):
        textbatch.train([])
    with textbatch.load(model) as loaded, pytest.raises(UsageError, match="--top-k is -1"):
        loaded.score_table(pa.table({"text": ["refund"]}), top_k=-1)
    with pytest.raises(UsageError, match="--if-exists is 'perhaps'"):
        textbatch.score(input_file, tmp_path / "out.parquet", model=model, if_exists="perhaps")
    assert issubclass(BundleError, textbatch.TextbatchError)


# --- importing


def test_importing_textbatch_imports_nothing_heavy():
    code = (
        "import sys, textbatch\n"
        "assert textbatch.__version__\n"
        "heavy = {'pyarrow', 'numpy', 'pandas', 'tensorflow', 'keras', 'gensim', 'onnxruntime'}\n"
        "assert not heavy & set(sys.modules)\n"
        "textbatch.score\n"
        "assert 'pyarrow' in sys.modules\n"
        "assert not {'tensorflow', 'keras', 'gensim'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_everything_promised_is_there_and_nothing_else():
    for name in textbatch.__all__:
        assert getattr(textbatch, name)
    with pytest.raises(AttributeError, match="no attribute 'scores'"):
        _ = textbatch.scores


def test_dir_lists_the_public_names():
    assert set(textbatch.__all__) <= set(dir(textbatch))
