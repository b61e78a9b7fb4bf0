"""Settings of the test suite: throw-away keys and data folder, whatever the caller's environment holds."""

import atexit
import os
import shutil
import tempfile

# A worker of pytest-xdist inherits what its parent has set here.
if "PYTEST_XDIST_WORKER" not in os.environ:
    folder = tempfile.mkdtemp(prefix="pipelime-tests-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name in [name for name in os.environ if name.startswith("PIPELIME_")]:
        if name != "PIPELIME_DB_POOL":
            del os.environ[name]
    for name in ("SECRET_KEY_FILE", "ALLOWED_HOSTS", "TRUSTED_PROXIES", "PORT"):
        os.environ.pop(name, None)
    os.environ["PIPELIME_DATA"] = folder
    os.environ["SECRET_KEY"] = "only-for-tests"
    os.environ["PIPELIME_KEYS"] = "test:" + "A" * 43

from pipelime.settings import *  # noqa: F403  the environment above comes first

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # Argon2 takes a fifth of a second

if "volatile" in DATABASES:  # noqa: F405
    # One file is enough for tests of behaviour; the end-to-end test runs on the real pair.
    del DATABASES["volatile"]  # noqa: F405
    DATABASE_ROUTERS = []
    # A file and not memory, so that threads of a test have connections of their own.
    DATABASES["default"]["TEST"] = {"NAME": DATA / "test.sqlite3"}  # noqa: F405
(DATA / "static").mkdir(exist_ok=True)  # noqa: F405  WhiteNoise warns about a folder that is not there
STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"  # noqa: F405

# No test asks a real name server; those about the DNS bring a table.
DNS_RESOLVER = "tests.names.Silent"

# Processes of a parallel run would empty each other's Redis: they keep a cache and counters of their own.
# A Redis of their own serves the tests of counting, and the end-to-end tests.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
COUNTERS_URL = ""
# Tests of the file broker run beside Redis too.
(DATA / "broker" / "control").mkdir(parents=True, exist_ok=True)  # noqa: F405
