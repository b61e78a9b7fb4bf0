"""What PIPELIME_FILES says about where files are kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from pipelime.storage import storage

FOLDER = Path("/data/files")


def test_without_a_word_files_are_in_the_data_folder():
    assert storage("", FOLDER) == {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": FOLDER, "base_url": None, "file_permissions_mode": 0o600},
    }


def test_another_folder_such_as_a_shared_mount():
    assert storage("/mnt/shared", FOLDER)["OPTIONS"]["location"] == Path("/mnt/shared")


def test_a_bucket_with_a_prefix():
    assert storage(
        "s3://leads/files/of/ours/?endpoint=https://minio.example.com&region=eu-west-1", FOLDER
    ) == {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": "leads",
            "location": "files/of/ours",
            "file_overwrite": False,
            "default_acl": None,
            "endpoint_url": "https://minio.example.com",
            "region_name": "eu-west-1",
        },
    }


def test_a_bucket_alone():
    assert storage("s3://leads", FOLDER)["OPTIONS"] == {
        "bucket_name": "leads", "location": "", "file_overwrite": False, "default_acl": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("s3:///prefix", "names no bucket"),
        ("s3:leads", "names no bucket"),
        ("s3://key:secret@leads", "AWS_ACCESS_KEY_ID"),
        ("s3://leads?regoin=x", "'regoin' is not known; it takes endpoint and region"),
        ("gs://leads", "must be a folder, or look like s3://"),
    ],
)
def test_a_mistake_is_told_with_what_would_work(url, words):
    with pytest.raises(ImproperlyConfigured) as refusal:
        storage(url, FOLDER)

    assert words in str(refusal.value)
    assert "secret" not in str(refusal.value)
