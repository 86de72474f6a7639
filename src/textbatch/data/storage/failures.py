"""Gives the failures of object stores their class: which are final, and what to do about them.

Foreign errors are told by the code or the HTTP status that they hold. Nothing of their text is
passed on: it may hold a signed URL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyarrow as pa

from textbatch.data.storage.location import RemotePath
from textbatch.errors import (
    AccessError,
    InputNotFoundError,
    MissingExtraError,
    TextbatchError,
    TryAgainError,
    UsageError,
)

_CREDENTIALS = "check the credentials and what they allow"
_REGION = "set AWS_REGION to the region of the bucket"
_Failure = tuple[type[TextbatchError], str, str]

_ABSENT: _Failure = (InputNotFoundError, "there is no such object", "check the path")
_DENIED: _Failure = (AccessError, "access denied", _CREDENTIALS)
_NO_CREDENTIALS: _Failure = (
    AccessError,
    "there are no credentials for the store",
    "set them as its library takes them: variables, a profile or a role",
)
_ELSEWHERE: _Failure = (UsageError, "the bucket is in another region", _REGION)
_NO_ADDRESS: _Failure = (UsageError, "that is no address in a store", "check it")
_REFUSED: _Failure = (UsageError, "the store refuses the request", "check path and endpoint")

#: By the code of an answer, S3's first.
_BY_CODE: dict[str, _Failure] = {
    **dict.fromkeys(("NoSuchKey", "NotFound", "NoSuchVersion"), _ABSENT),
    "NoSuchBucket": (InputNotFoundError, "there is no such bucket", "check its name"),
    "InvalidObjectState": (
        InputNotFoundError,
        "the object is archived",
        "restore it, or leave it out, then run again",
    ),
    **dict.fromkeys(
        ("AccessDenied", "AllAccessDisabled", "AccountProblem", "InvalidAccessKeyId",
         "SignatureDoesNotMatch", "NotSignedUp", "InvalidPayer", "Forbidden", "Unauthorized",
         "AuthenticationFailed", "AuthorizationFailure", "AuthorizationPermissionMismatch"),
        _DENIED,
    ),
    **dict.fromkeys(
        ("ExpiredToken", "InvalidToken", "TokenRefreshRequired", "ExpiredTokenException"),
        (AccessError, "the credentials have expired", "get new ones, then run again"),
    ),
    "RequestTimeTooSkewed": (AccessError, "the clock of this machine is wrong", "set it"),
    "RequestExpired": (AccessError, "the clock of this machine is wrong", "set it"),
    **dict.fromkeys(
        ("PermanentRedirect", "AuthorizationHeaderMalformed", "IncorrectEndpoint",
         "IllegalLocationConstraintException"),
        _ELSEWHERE,
    ),
    **dict.fromkeys(
        ("InvalidBucketName", "InvalidURI", "KeyTooLongError", "InvalidArgument"), _NO_ADDRESS
    ),
    **dict.fromkeys(
        ("SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable", "Throttling",
         "ThrottlingException", "RequestLimitExceeded", "OperationAborted", "BadDigest",
         "ConditionalRequestConflict", "IncompleteBody", "Md5Mismatch", "TemporaryRedirect"),
        (TryAgainError, "", ""),
    ),
}  # fmt: skip

#: By the name of the error's class, where the request was never made.
_BY_NAME: dict[str, _Failure] = {
    **dict.fromkeys(
        ("NoCredentialsError", "PartialCredentialsError", "ProfileNotFound", "NoAuthTokenError",
         "DefaultCredentialsError"),
        _NO_CREDENTIALS,
    ),
    **dict.fromkeys(
        ("CredentialRetrievalError", "TokenRetrievalError", "SSOTokenLoadError",
         "UnauthorizedSSOTokenError", "ClientAuthenticationError", "RefreshError"),
        _DENIED,
    ),
    # boto3 asks for the region of a bucket, and is redirected with that question as well.
    **dict.fromkeys(("NoRegionError", "InvalidRegionError", "RecursionError"), _ELSEWHERE),
    **dict.fromkeys(("ParamValidationError", "InvalidDNSNameError"), _NO_ADDRESS),
    # A body that was cut off: aiohttp gives it a status of its own, 400, and JSON is none any more.
    **dict.fromkeys(
        ("IncompleteReadError", "ClientPayloadError", "ContentLengthError",
         "TransferEncodingError", "ServiceRequestError", "ServiceResponseError",
         "JSONDecodeError"),
        (TryAgainError, "", ""),
    ),
}  # fmt: skip

#: By the HTTP status, where no code says more. A `HEAD` has no code.
_BY_STATUS: dict[int, _Failure] = {
    301: _ELSEWHERE,
    400: (
        AccessError,
        "the store does not understand the request",
        "check that the credentials have not expired, and AWS_REGION",
    ),
    401: _DENIED,
    403: _DENIED,
    404: _ABSENT,
}
#: Other refusals are final, but for these: timeout, conflict, too early, too many.
_TEMPORARY = (408, 409, 425, 429)

_GCS, _AZURE = ("google-cloud-storage", "gcs"), ("adlfs", "azure")
#: The package that a scheme needs, and the extra that brings it.
_PACKAGES = {
    "s3": ("boto3", "s3"),
    **dict.fromkeys(("gs", "gcs"), _GCS),
    **dict.fromkeys(("abfs", "abfss", "az"), _AZURE),
    "hf": ("huggingface-hub", "hf"),
}


def classified(error: Exception, path: RemotePath, action: str) -> TextbatchError:
    """Give a failure of an object store its class.

    Args:
        error: What the library raised.
        path: The object, for the message.
        action: What was being done, such as "cannot read".
    """
    for one in _chain(error):
        if (found := _known(one)) and found[0] is not TryAgainError:
            kind, what, remedy = found
            return kind(f"{action} {path}: {what}", remedy)
        if found:
            break
    else:
        if isinstance(error, ImportError) and (needed := _PACKAGES.get(path.scheme)):
            return MissingExtraError(f"{action} {path}: {path.scheme}://", *needed)
        # fsspec raises ValueError for a scheme that it does not know, and TypeError for one that
        # needs more than an address.
        unknown = path.scheme not in _PACKAGES and isinstance(error, TypeError)
        if unknown or isinstance(error, ImportError | NotImplementedError | ValueError):
            return UsageError(
                f"{action} {path}: {path.scheme}:// is not known, or needs a package",
                "check it; fsspec's documentation names the packages",
            )
    return TryAgainError(
        f"{action} {path}: the store does not answer or fails ({type(error).__name__})",
        "run again later",
    )


def code_of(error: BaseException) -> str:
    """The code of an answer that says no; empty where there is none."""
    answer = getattr(error, "response", None)
    if isinstance(answer, dict):
        return str(answer.get("Error", {}).get("Code", ""))
    code = getattr(error, "error_code", None)
    return str(getattr(code, "value", code) or "")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and those that it was raised from."""
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        hidden = found.__suppress_context__
        found = found.__cause__ or (None if hidden else found.__context__)


def _known(error: BaseException) -> _Failure | None:
    code, name = code_of(error), type(error).__name__
    if known := _BY_CODE.get(code) or _BY_NAME.get(name):
        return known
    # Some libraries tell the code in the text alone. Without what is in quotes: it may be a key.
    told = re.sub(r"'[^']*'", "", str(error))
    found = re.search(r"ErrorCode:\s*(\w+)", told)
    status = _status_of(error)
    if found or status:
        told_code = _BY_CODE.get(found[1]) if found else None
        return told_code or (_of_status(status) if status else _REFUSED)
    if isinstance(error, FileNotFoundError):
        return _ABSENT
    if isinstance(error, PermissionError):
        return _DENIED
    if isinstance(error, pa.ArrowInvalid):  # of `hdfs://`, the one store that Arrow still reads
        return _NO_ADDRESS
    return None


def _status_of(error: BaseException) -> int:
    """The HTTP status that an error of any of the libraries tells; 0 where none is told."""
    answer = getattr(error, "response", None)
    if isinstance(answer, dict):
        status: object = answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
        return status if isinstance(status, int) else 0
    for holder in (error, answer):
        for name in ("status_code", "status", "code"):
            status = getattr(holder, name, None)
            if isinstance(status, int) and 100 <= status < 600:
                return status
            if isinstance(status, str) and re.fullmatch(r"[345]\d\d", status):
                return int(status)
    return 0


def _of_status(status: int) -> _Failure:
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if 300 <= status < 500 and status not in _TEMPORARY:
        return _REFUSED
    return (TryAgainError, "", "")
