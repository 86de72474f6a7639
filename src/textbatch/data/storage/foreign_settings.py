"""Files of settings and credentials that the libraries of object stores read by themselves."""

from __future__ import annotations

import os
import stat
from contextlib import suppress

from textbatch.errors import UsageError

_VARIABLES = (
    *("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE"),
    *("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_CA_BUNDLE", "BOTO_CONFIG"),
    *("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_API_CERTIFICATE_CONFIG"),
    *("AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_CERTIFICATE_PATH", "HF_TOKEN_PATH"),
    *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "NETRC"),
)
#: No such file is larger. All certificates of a system are a few hundred KiB.
_MOST_BYTES = 16 << 20


def check_files_of_settings() -> None:
    """Refuse files that have no end: a library would read them until the memory is full.

    Raises:
        UsageError: A variable names a device other than the null device, or a huge file.
    """
    for variable in _VARIABLES:
        with suppress(OSError, ValueError):  # what cannot be opened is the library's to tell
            found = os.stat(os.environ.get(variable) or os.devnull)  # noqa: PTH116 - may be no path
            endless = stat.S_ISCHR(found.st_mode) and found.st_rdev != _null_device()
            if endless or stat.S_ISBLK(found.st_mode) or found.st_size > _MOST_BYTES:
                raise UsageError(
                    f"{variable} names a device, or a file larger than any of settings",
                    "name the right file, or unset the variable",
                )


def _null_device() -> int:
    return os.stat(os.devnull).st_rdev  # noqa: PTH116 - as above
