from __future__ import annotations

import io
import os

import pyarrow as pa
import pytest

from textbatch.data.storage.failures import classified
from textbatch.data.storage.file_io import new_input
from textbatch.data.storage.local import _Bytes
from textbatch.data.storage.location import location_of
from textbatch.data.storage.s3_upload import client
from textbatch.errors import (
    AccessError,
    InputNotFoundError,
    MissingExtraError,
    TryAgainError,
    UsageError,
)

PLACE = location_of("s3://bucket/a.csv")


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        ("404:NoSuchKey", InputNotFoundError, "no such object; check the path"),
        ("404:NoSuchBucket", InputNotFoundError, "no such bucket"),
        ("403:InvalidObjectState", InputNotFoundError, "archived; restore it"),
        ("403:AccessDenied", AccessError, "access denied"),
        ("403:AllAccessDisabled", AccessError, "access denied"),
        ("403:SignatureDoesNotMatch", AccessError, "access denied"),
        ("403:SomethingNew", AccessError, "access denied"),
        ("400:ExpiredToken", AccessError, "expired; get new ones"),
        ("403:RequestTimeTooSkewed", AccessError, "the clock of this machine is wrong"),
        ("301:PermanentRedirect", UsageError, "in another region; set AWS_REGION"),
        ("400:AuthorizationHeaderMalformed", UsageError, "set AWS_REGION"),
        ("400:InvalidBucketName", UsageError, "no address in a store"),
        ("405:MethodNotAllowed", UsageError, "refuses the request; check path and endpoint"),
        ("501:NotImplemented", TryAgainError, "does not answer or fails"),
        ("409:OperationAborted", TryAgainError, "run again later"),
        ("429:TooManyRequests", TryAgainError, "run again later"),
        ("503:SlowDown", TryAgainError, "run again later"),
    ],
)
def test_final_and_temporary_answers_are_told_apart(answer, kind, message, store, monkeypatch):
    monkeypatch.setenv("TEXTBATCH_RETRY_SECONDS", "0.1")
    store.put("a.csv", b"text\nrefund\n")
    file = new_input(PLACE)
    file.look()
    store.faults.begin(answer, first=1, count=10**6)
    with pytest.raises(kind, match=message) as caught, file.open() as opened:
        opened.read()
    assert "s3://bucket/a.csv" in str(caught.value)
    # What is final is not tried again, but boto3 itself asks for the region of a bucket.
    if not isinstance(caught.value, TryAgainError) and "region" not in str(caught.value):
        assert store.faults.hits <= 3


@pytest.mark.parametrize(
    "answer", ["301:PermanentRedirect", "400:ExpiredToken", "403:AccessDenied"]
)
def test_an_answer_without_a_body_is_final_too(answer, store):
    store.faults.begin(answer, first=1, count=10**6)
    with pytest.raises((AccessError, UsageError), match=r"AWS_REGION|access denied"):
        new_input(PLACE).look()


class RefusedError(Exception):
    """As the libraries of other stores raise them."""

    def __init__(self, **about: object) -> None:
        super().__init__("text with a secret")
        vars(self).update(about)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (RefusedError(status_code=404), InputNotFoundError),  # Azure, Hugging Face
        (RefusedError(status=403), AccessError),  # aiohttp
        (RefusedError(code="401"), AccessError),  # gcsfs
        (RefusedError(code=503), TryAgainError),
        (RefusedError(status_code=409, error_code="ContainerBeingDeleted"), TryAgainError),
        (RefusedError(error_code="AuthenticationFailed"), AccessError),
        (FileNotFoundError("x"), InputNotFoundError),
        (PermissionError("x"), AccessError),
        (pa.ArrowInvalid("x"), UsageError),
        (ImportError("x"), MissingExtraError),
        (ValueError("Protocol not known"), UsageError),
        # Words alone are no code, in whatever key or answer they stand.
        (OSError("NOT_FOUND 404 Forbidden"), TryAgainError),
        (ConnectionResetError(), TryAgainError),
        (TimeoutError(), TryAgainError),
        (RuntimeError("x"), TryAgainError),
    ],
)
def test_other_libraries_tell_it_by_status_code_or_class(error, kind):
    found = classified(error, PLACE, "cannot read")
    assert type(found) is kind
    assert "secret" not in str(found)


@pytest.mark.parametrize("name", ["NoCredentialsError", "DefaultCredentialsError"])
def test_no_credentials_are_told_from_those_that_do_not_allow_it(name):
    found = classified(type(name, (Exception,), {})(), PLACE, "cannot read")
    assert isinstance(found, AccessError)
    assert "there are no credentials for the store; set them" in str(found)


def test_a_missing_bucket_is_told_where_no_object_can_be_looked_at(store):
    with pytest.raises(InputNotFoundError, match="no such bucket; check its name"):
        new_input(location_of("s3://nowhere/a.csv")).look()
    with pytest.raises(InputNotFoundError, match="no such object; check the path"):
        new_input(location_of("s3://bucket/none.csv")).look()
    # Who may look and not list learns as much as before.
    store.faults.begin("403:AccessDenied", first=2, count=10**6)
    with pytest.raises(InputNotFoundError, match="no such object"):
        new_input(location_of("s3://nowhere/a.csv")).look()


def test_the_reason_may_lie_below_an_error():
    error = RuntimeError("wrapped")
    error.__cause__ = RefusedError(status_code=403)
    assert isinstance(classified(error, PLACE, "cannot read"), AccessError)


def test_an_endpoint_that_is_no_address(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "no address")
    client.cache_clear()
    try:
        with pytest.raises(UsageError, match="AWS_ENDPOINT_URL names no server"):
            new_input(PLACE).look()
    finally:
        client.cache_clear()


def test_a_read_that_would_have_to_wait_is_an_error_and_not_nothing():
    reading, writing = os.pipe2(os.O_NONBLOCK)
    with io.BufferedReader(_Bytes(reading)) as file, pytest.raises(BlockingIOError):
        file.read(1)
    os.close(writing)


def test_a_store_that_needs_more_than_an_address_is_not_tried_again():
    place = location_of("ftp://host/a.csv")
    found = classified(TypeError("missing 1 required argument: 'host'"), place, "cannot read")
    assert type(found) is UsageError
    # Of a store that is known it is a fault in passing, or a bug.
    assert type(classified(TypeError("x"), PLACE, "cannot read")) is TryAgainError
