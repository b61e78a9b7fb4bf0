"""Where files are kept: in a folder, or in an S3-compatible storage that all machines share."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.core.exceptions import ImproperlyConfigured

S3_PARAMETERS = {"endpoint": "endpoint_url", "region": "region_name"}
EXAMPLE = "s3://bucket/prefix?endpoint=https://minio.example.com&region=eu-west-1"


def storage(url: str, folder: Path) -> dict[str, Any]:
    """Django's storage for what PIPELIME_FILES says: nothing, a folder, or s3://bucket/prefix.

    Credentials are no part of it: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the machine's role.
    """
    if url.startswith("s3:"):
        return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": s3_options(url)}
    if "://" in url:
        raise ImproperlyConfigured(f"PIPELIME_FILES must be a folder, or look like {EXAMPLE}")
    options = {"location": Path(url).resolve() if url else folder, "base_url": None}
    return {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": options | {"file_permissions_mode": 0o600},
    }


def s3_options(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    if not parts.netloc:
        raise ImproperlyConfigured(f"PIPELIME_FILES names no bucket: write it like {EXAMPLE}")
    if "@" in parts.netloc:
        raise ImproperlyConfigured(
            "PIPELIME_FILES holds a key or password: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead"
        )
    given = dict(parse_qsl(parts.query))
    if unknown := sorted(given.keys() - S3_PARAMETERS.keys()):
        known = " and ".join(S3_PARAMETERS)
        raise ImproperlyConfigured(f"PIPELIME_FILES: {unknown[0]!r} is not known; it takes {known}")
    return {
        "bucket_name": parts.netloc,
        "location": parts.path.strip("/"),
        "file_overwrite": False,
        "default_acl": None,
        **{S3_PARAMETERS[name]: value for name, value in given.items()},
    }
