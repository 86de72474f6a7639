"""A dry run asks the store what would stop the run, and leaves nothing there."""

from __future__ import annotations

import pytest
from support.bundles import write_texts

import textbatch
from textbatch.errors import AccessError, InputNotFoundError, OutputError

TEXTS = ["refund the card", "cannot log in"]


@pytest.fixture
def source(tmp_path):
    (tmp_path / "in").mkdir()
    write_texts(tmp_path / "in" / "a.parquet", TEXTS)
    return tmp_path / "in"


@pytest.fixture(params=["a.parquet", ""], ids=["file", "folder"])
def job(request, source, model):
    def run(output: str, **settings):
        places = (source / request.param, f"{output}.parquet" if request.param else output)
        return textbatch.score(*places, **{"model": model, "dry_run": True, **settings})

    return run


def test_it_says_score_skip_and_replace_and_leaves_nothing(job, store):
    out = "s3://bucket/scored"
    assert job(out).plan == "score"
    assert store.keys() == store.uploads() == []
    job(out, dry_run=False)
    before = store.keys()
    assert job(out, if_exists="skip").plan == "skip"
    assert job(out, if_exists="replace").plan == "replace"
    assert (store.keys(), store.uploads()) == (before, [])


def test_a_missing_bucket_is_told(job):
    with pytest.raises(OutputError, match=r"no such bucket|no bucket nowhere"):
        job("s3://nowhere/scored")


def test_a_bucket_that_takes_no_objects_is_told(job, store):
    store.faults.denies_writes = True
    with pytest.raises(AccessError, match="access denied"):
        job("s3://bucket/scored")


def test_credentials_that_have_expired_are_told(job, store):
    store.faults.begin("400:ExpiredToken", first=1, count=100)
    with pytest.raises(AccessError, match="expired"):
        job("s3://bucket/scored")


def test_a_missing_bucket_of_the_input_is_told(model, store, tmp_path):
    with pytest.raises(InputNotFoundError):
        textbatch.score("s3://nowhere/in/", f"{tmp_path}/out/", model=model, dry_run=True)


def test_a_store_without_such_a_question_tells_what_it_cannot_know(source, model):
    planned = textbatch.score(
        source / "a.parquet", "memory://box/out.parquet", model=model, dry_run=True
    )
    assert planned.plan == "score"
    assert "only a run can tell" in planned.notes[-1]
