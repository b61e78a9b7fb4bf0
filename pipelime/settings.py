"""Every setting, in titled blocks, each number with its reason."""

from datetime import timedelta
from pathlib import Path

import environ

from pipelime import environment as env
from pipelime.storage import storage

BASE = Path(__file__).resolve().parent.parent
# Everything that Pipelime writes to disk in the embedded mode lives below this folder.
DATA = Path(env.text("PIPELIME_DATA", str(BASE / "var"))).resolve()
DATA.mkdir(parents=True, exist_ok=True)

# --- Secrets ---------------------------------------------------------------
SECRET_KEY = env.secret("SECRET_KEY")
# The first key encrypts; the others still decrypt until `rotate_keys` has run.
PIPELIME_KEYS = env.encryption_keys("PIPELIME_KEYS")
# The first hashes the addresses that must not be mailed; hashes under the others, and under SECRET_KEY, which
# keyed them before, still count.
PIPELIME_SUPPRESSION_KEY = env.secrets("PIPELIME_SUPPRESSION_KEY")

# --- Hosts and addresses ---------------------------------------------------
DEBUG = env.boolean("PIPELIME_DEBUG", default=False)
PORT = env.integer("PORT", default=8000)
# What links, permalinks and unsubscribe addresses begin with. Never taken from a request's Host header.
PIPELIME_URL = env.text("PIPELIME_URL", f"http://127.0.0.1:{PORT}").rstrip("/")
PIPELIME_PUBLIC_URL = env.text("PIPELIME_PUBLIC_URL", PIPELIME_URL).rstrip("/")
ALLOWED_HOSTS = env.listing("ALLOWED_HOSTS", "*" if PIPELIME_URL.startswith("http://127.") else "localhost")
TRUSTED_PROXIES = env.listing("TRUSTED_PROXIES")
# Who beside this machine may read /metrics: addresses or CIDRs, of Prometheus for instance.
METRICS_ALLOW = env.listing("PIPELIME_METRICS_ALLOW")
CSRF_TRUSTED_ORIGINS = [PIPELIME_URL]
SECURE_COOKIES = PIPELIME_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_COOKIES
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 14 * 24 * 3600
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if SECURE_COOKIES else 0
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
X_FRAME_OPTIONS = "SAMEORIGIN"  # the mail preview is an iframe of our own

# --- Apps ------------------------------------------------------------------
INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "pipelime.backoffice.apps.WorkspaceConfig",  # django.contrib.admin with our own site
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "pipelime.accounts",
    "pipelime.events",
    "pipelime.search",
    "pipelime.api",
    "pipelime.backoffice",
    "crm",
    "outreach",
    "webhooks",
]
MIDDLEWARE = [
    "pipelime.logs.RequestIdMiddleware",
    "pipelime.policies.PublicHostMiddleware",
    "pipelime.health.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "pipelime.policies.ContentPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "pipelime.backoffice.middleware.AccountScopeMiddleware",
]
ROOT_URLCONF = "pipelime.urls"
WSGI_APPLICATION = "pipelime.wsgi.application"
APPEND_SLASH = False  # dialects accept both forms themselves

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- Databases -------------------------------------------------------------
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ATOMIC_REQUESTS = False  # verbs are atomic; under IMMEDIATE a read would take SQLite's write lock


def sqlite(name: str) -> dict:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA / name,
        "OPTIONS": {
            # IMMEDIATE: a deferred transaction that upgrades its lock fails at once, whatever the timeout.
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA mmap_size=67108864;"
                "PRAGMA cache_size=-32000; PRAGMA temp_store=MEMORY; PRAGMA busy_timeout=30000;"
                # A checkpoint waits for the disk: after 32 MB of changes instead of 4.
                "PRAGMA wal_autocheckpoint=8000;"
            ),
        },
    }


if DATABASE_URL := env.text("DATABASE_URL"):
    DATABASES = {"default": environ.Env.db_url_config(DATABASE_URL)}
    # The pool is for threads of a web process; forked or threaded workers keep plain connections.
    if env.boolean("PIPELIME_DB_POOL", default=False):
        DATABASES["default"].setdefault("OPTIONS", {})["pool"] = {"min_size": 1, "max_size": 8, "timeout": 10}
    else:
        DATABASES["default"]["CONN_MAX_AGE"] = 600
        DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = True
    SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
else:
    # Counters, sessions and the cache have a file of their own, because a long import holds the
    # main file's only writer. A router sends them there.
    DATABASES = {"default": sqlite("pipelime.sqlite3"), "volatile": sqlite("volatile.sqlite3")}
    DATABASE_ROUTERS = ["pipelime.volatile.VolatileRouter"]

# --- Broker and cache ------------------------------------------------------
BROKER_URL = env.text("BROKER_URL")
# Where requests and log-ins are counted: a Redis that is there anyway, else rows.
COUNTERS_URL = BROKER_URL if BROKER_URL.startswith("redis") else ""
if BROKER_URL.startswith("redis"):
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": BROKER_URL}}
else:
    CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "volatile_cache"}
    }

# --- People ----------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["pipelime.accounts.backends.EmailBackend"]
LOGIN_URL = "/admin/login/"
LOGIN_REDIRECT_URL = "/admin/"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
PASSWORD_RESET_TIMEOUT = 3 * 24 * 3600
LOGIN_ATTEMPTS = 10  # per address and e-mail in a quarter of an hour; then the next one waits

# --- Time and language -----------------------------------------------------
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = True

# --- Files -----------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.text("PIPELIME_STATIC", str(DATA / "static")))
STATICFILES_DIRS = [BASE / "static"] if (BASE / "static").is_dir() else []
WHITENOISE_MAX_AGE = 3600
WHITENOISE_USE_FINDERS = DEBUG
STORAGES = {
    # A folder or s3://bucket/prefix; more than one machine needs a place that all of them see.
    "default": storage(env.text("PIPELIME_FILES"), DATA / "files"),
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
UPLOAD_LIMIT = env.integer("PIPELIME_UPLOAD_LIMIT", default=512 * 1024 * 1024)
ATTACHMENT_LIMIT = env.integer("PIPELIME_ATTACHMENT_LIMIT", default=25 * 1024 * 1024)
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# --- Outbound --------------------------------------------------------------
# Hosts (CIDR, address, or address:port) that webhooks and mail may reach in clear. Operators only.
OUTBOUND_ALLOW = env.listing("PIPELIME_OUTBOUND_ALLOW")
OUTBOUND_TIMEOUT = 15
# The system's own mail: activation, password reset, notices.
PIPELIME_MAIL_URL = env.text("PIPELIME_MAIL_URL")
MAIL_FROM = env.text("PIPELIME_MAIL_FROM", "Pipelime <pipelime@localhost>")
SINK_PORT = env.integer("PIPELIME_SINK_PORT", default=0)
# Where mailboxes log in by OAuth 2: a client of the operator's at each; another address is for tests.
MAIL_PROVIDERS = {
    name: {
        "client_id": env.text(f"PIPELIME_{name.upper()}_CLIENT_ID"),
        "client_secret": "".join(env.secrets(f"PIPELIME_{name.upper()}_CLIENT_SECRET")[:1]),
        "auth_url": env.text(f"PIPELIME_{name.upper()}_AUTH_URL", auth_url),
        "token_url": env.text(f"PIPELIME_{name.upper()}_TOKEN_URL", token_url),
    }
    for name, auth_url, token_url in (
        (
            "google",
            "https://accounts.google.com/o/oauth2/v2/auth",
            "https://oauth2.googleapis.com/token",
        ),
        (
            "microsoft",
            "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
            "https://login.microsoftonline.com/common/oauth2/v2.0/token",
        ),
    )
}

# --- Events ----------------------------------------------------------------
# Called, in this order and inside the writer's transaction, with each batch of new events.
EVENT_SUBSCRIBERS = [
    "webhooks.subscribing.enqueue",
    "crm.reminders.follow_zone",
    "outreach.statuses.follow_contacts",
]
# Called with the ids of rows of a kind before the indexer reads their words.
BEFORE_INDEXING = {"lead": "crm.lead_keys.derive"}
# Called with every event a person's erasure blanks; and where a record's own page is found.
EVENT_RETENTION = timedelta(days=env.integer("PIPELIME_EVENT_DAYS", default=730))

# --- Deliverability and tracking -------------------------------------------
# Who is asked about sending domains; tests have a table of their own.
DNS_RESOLVER = "outreach.deliverability.lookups.SystemResolver"
# Opens and clicks so soon after a mail was handed over are a scanner's. Slow relays need more.
TRACKING_MACHINE_SECONDS = env.integer("PIPELIME_TRACKING_MACHINE_SECONDS", default=10)
VISIT_RETENTION = timedelta(days=90)  # what a visit proved stays with its message

# --- The ledger ------------------------------------------------------------
LEASE = timedelta(seconds=60)
POLL_EVERY = timedelta(seconds=env.integer("PIPELIME_POLL_SECONDS", default=60))  # of a mailbox
# Sending stops when nothing has run for so long: an older state may have been put back meanwhile. 0: never.
FENCE_GAP = timedelta(seconds=env.integer("PIPELIME_FENCE_GAP", default=6 * 3600))
# Which installation a machine without a lasting data folder belongs to, as confirm_sending shows it.
INSTALLATION = env.text("PIPELIME_INSTALLATION")
SWEEP_SECONDS = 10  # a lost bell delays work by one sweep

# --- Housekeeping ----------------------------------------------------------
# Called every hour, under every_account(): each deletes, or gives up, what its own retention has let go of.
HOUSEKEEPING = [
    "outreach.direct.expire",
    "webhooks.retention.prune",
    "pipelime.api.idempotency.prune",
    "crm.importing.retention.prune",
    "crm.attachments.prune",
    "crm.receiving.retention.prune",
    "pipelime.events.retention.prune",
    "outreach.visits.prune",
    "outreach.deliverability.gate.recheck",
]

# --- Imports ---------------------------------------------------------------
IMPORT_CHUNK = 1000
IMPORT_FILE_RETENTION = timedelta(days=30)

# --- Mail that comes in ------------------------------------------------------
# Where accounts' own addresses are, <slug>+<key>@<domain>: mail to them becomes leads.
INBOUND_DOMAIN = env.text("PIPELIME_INBOUND_DOMAIN", "localhost").lower()
# A mailbox of the operator's that all of that mail lands in, as imaps://user:password@host:993/INBOX.
INBOUND_IMAP = env.text("PIPELIME_INBOUND_IMAP")
INBOUND_LIMIT = env.integer("PIPELIME_INBOUND_LIMIT", default=30 * 1024 * 1024)  # bytes of one mail
INBOUND_PER_HOUR = env.integer("PIPELIME_INBOUND_PER_HOUR", default=500)  # of one account; more wait
INBOUND_RETENTION = timedelta(days=90)  # then the mail as it came is deleted; its lead stays

# --- Webhooks --------------------------------------------------------------
# Ten attempts: at once, then after these pauses, each changed by up to a fifth either way.
WEBHOOK_RETRY_DELAYS = [
    timedelta(seconds=seconds) for seconds in (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
]
WEBHOOK_SECRET_OVERLAP = timedelta(hours=24)
WEBHOOK_DISABLE_AFTER = timedelta(days=5)
WEBHOOK_BODY_RETENTION = timedelta(days=30)
WEBHOOK_ATTEMPT_RETENTION = timedelta(days=90)
# How events are named, written and signed for an endpoint that asked for a dialect.
WEBHOOK_DIALECTS = {
    "native": "pipelime.api.native.events.dialect",
    "propipelines": "pipelime.api.propipelines.events.dialect",
    "sendpilot": "pipelime.api.sendpilot.events.dialect",
}

# --- API -------------------------------------------------------------------
IDEMPOTENCY_RETENTION = timedelta(hours=24)
NATIVE_REQUESTS_PER_MINUTE = 600
PROPIPELINES_REQUESTS_PER_DAY = 2000  # per account, whose day it is
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["pipelime.api.bodies.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["pipelime.api.bodies.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,  # ?format= says which file an export makes
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Pipelime API",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api",
    "PREPROCESSING_HOOKS": ["pipelime.api.native.documentation.only_native"],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "GET_LIB_DOC_EXCLUDES": "pipelime.api.native.documentation.undocumented",
    "POSTPROCESSING_HOOKS": ["pipelime.api.native.documentation.add_errors"],
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "persistAuthorization": True, "tryItOutEnabled": True},
}

# --- Celery: only a doorbell; the rows say what is to be done ----------------
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_MAX_TASKS_PER_CHILD = 1000
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker waits for its broker as long as it takes
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_DEFAULT_DELIVERY_MODE = "transient"
CELERY_TIMEZONE = "UTC"
CELERY_TASK_PUBLISH_RETRY = False
if BROKER_URL:
    CELERY_BROKER_URL = BROKER_URL
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "visibility_timeout": 600,
        "socket_timeout": 5,
        "socket_connect_timeout": 1,
        "unacked_restore_interval": 5,
        # A bell that cannot be published at once is given up: left to itself, kombu would try for six
        # seconds, with a browser waiting for the answer.
        "max_retries": 0,
        "connect_retries_timeout": 1,
    }
else:
    CELERY_BROKER_URL = "files://"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(DATA / "broker"),
        "data_folder_out": str(DATA / "broker"),
        "control_folder": str(DATA / "broker" / "control"),
        "store_processed": False,
        "polling_interval": 0.1,
    }
    (DATA / "broker" / "control").mkdir(parents=True, exist_ok=True)

# --- The browser -----------------------------------------------------------
UNFOLD = {
    "SITE_TITLE": "Pipelime",
    "SITE_HEADER": "Pipelime",
    "SITE_SYMBOL": "nutrition",
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "pipelime.backoffice.dashboard.context",
    "COMMAND": {"search_callback": "pipelime.backoffice.palette.search", "search_models": False},
    "COLORS": {
        "primary": {
            "50": "247 254 231",
            "100": "236 252 203",
            "200": "217 249 157",
            "300": "190 242 100",
            "400": "132 204 22",
            "500": "101 163 13",
            "600": "77 124 15",
            "700": "63 98 18",
            "800": "54 83 20",
            "900": "40 64 16",
            "950": "26 46 5",
        }
    },
    "SIDEBAR": {"show_search": True, "navigation": "pipelime.backoffice.navigation.sidebar"},
}

# --- Logging: one JSON line an event, each with its request id ----------------
LOGGING_CONFIG = None
LOG_LEVEL = env.text("PIPELIME_LOG_LEVEL", "INFO")
from pipelime import logs  # noqa: E402  the logging setup reads the level above

logs.configure(LOG_LEVEL, pretty=env.boolean("PIPELIME_LOG_PRETTY", default=False))
