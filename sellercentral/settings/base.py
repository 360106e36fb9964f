"""Settings common to all places; everything that differs comes from the environment."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import environ
from celery.schedules import crontab
from kombu import Queue

BASE_DIR = Path(__file__).resolve().parents[2]
env = environ.Env()

SITE_NAME = env.str("SITE_NAME", default="Seller Central")
SITE_URL = env.str("SITE_URL", default="http://localhost:8000").rstrip("/")
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "core",
    "accounts",
    "audit",
    "catalog",
    "payments",
    "notifications",
    "orders",
    "checkout",
    "operators",
    "reports",
    "uploads",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "django.contrib.admin",
    "allauth",
    "allauth.account",
    "csp",
    "django_htmx",
    "django_prometheus",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "template_partials",
]
MIDDLEWARE = [
    "core.middleware.RequestId",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "core.middleware.Watched",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "core.middleware.PlainInput",
    "core.middleware.CalmAnswers",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.middleware.Member",
    "core.middleware.Bounded",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]
ROOT_URLCONF = "sellercentral.urls"
WSGI_APPLICATION = "sellercentral.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "core.navigation.frame",
            ],
            "builtins": ["core.templatetags.ui", "django.templatetags.i18n"],
        },
    }
]

DATABASES = {"default": env.db("DATABASE_URL", default="postgres://localhost/sellercentral")}
DATABASES["default"] |= {
    "CONN_MAX_AGE": 60,
    "CONN_HEALTH_CHECKS": True,
    "ATOMIC_REQUESTS": False,  # each verb is a transaction of its own
    "OPTIONS": {
        # Commands and jobs lift the statement limit where their work is long (core.limits).
        "options": "-c lock_timeout=3s -c statement_timeout=15s"
        " -c idle_in_transaction_session_timeout=30s",
        "application_name": "sellercentral",
    },
}
# Who changes the schema: migrate signs in so, to the same database. Web, worker and beat are not
# told; they sign in as a role that owns nothing (core.roles). Left out: the role of DATABASE_URL.
DATABASE_OWNER: dict[str, Any] = (
    env.db("DATABASE_OWNER_URL") if env.str("DATABASE_OWNER_URL", default="") else {}
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The broker must never lose a task, the cache may lose anything: they may be two servers.
REDIS_URL = env.str("REDIS_URL", default="redis://localhost:6379/0")
CACHE_URL = env.str("CACHE_URL", default=REDIS_URL)
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": CACHE_URL,
        "KEY_PREFIX": "sellercentral",
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 1},
    }
}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.Backend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
_VALIDATION = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{_VALIDATION}.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "accounts.passwords.MaximumLengthValidator", "OPTIONS": {"max_length": 128}},
    {"NAME": f"{_VALIDATION}.CommonPasswordValidator"},
    {"NAME": "accounts.passwords.OwnWordsValidator"},
    {
        "NAME": f"{_VALIDATION}.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "name")},
    },
]
PASSWORD_RESET_TIMEOUT = 3600
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/home/"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_RATE_LIMITS = False  # counted by core.throttle, which a crowd cannot slip by
# How many proxies in front add to X-Forwarded-For; the limits above count the address they saw.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)
# Codes of so many steps of 30 s before the present one still count: 0, at most 1 (SD-09).
TOTP_TOLERANCE_STEPS = min(max(env.int("TOTP_TOLERANCE_STEPS", default=0), 0), 1)
ACCOUNT_FORMS = {
    "login": "accounts.forms.signing_in.SignInForm",
    "reset_password_from_key": "accounts.forms.signing_in.NewPasswordForm",
}

# The framework's pages for looking at rows: never on a server, where operators need a second
# factor and a console of their own.
ADMIN_SITE = False
SESSION_ENGINE = "accounts.sessions"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "core.views.errors.csrf_failure"
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "manifest-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
        "frame-ancestors": ["'none'"],
        "report-uri": ["/csp-report/"],
    }
}
# What one request may hold (reliability SD-11); deploy/gunicorn.conf.py bounds its headers.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440  # bytes of a form without its files
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
DATA_UPLOAD_MAX_NUMBER_FILES = 1
FILE_MAX_BYTES = 10 * 1024 * 1024
FILE_UPLOAD_HANDLERS = [
    "core.files.Bounded",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
BODY_SECONDS = 60  # for a body to arrive
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = env.str("STATIC_ROOT", default=str(BASE_DIR / ".runtime" / "static"))
MEDIA_ROOT = env.str("MEDIA_ROOT", default=str(BASE_DIR / ".runtime" / "files"))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": env.str(
            "STATICFILES_BACKEND",
            default="django.contrib.staticfiles.storage.ManifestStaticFilesStorage",
        )
    },
}

USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
LANGUAGE_CODE = "en-gb"
LOCALE_PATHS = [BASE_DIR / "locale"]

# The reader of addresses takes one slash away: the path's own is the fourth.
_MAIL_FOLDER = f"filemail:///{(BASE_DIR / '.runtime' / 'mail').as_posix()}"
EMAIL_CONFIG = env.email_url("EMAIL_URL", default=_MAIL_FOLDER)
vars().update(EMAIL_CONFIG)
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT", default=10)  # seconds for a connection, and each answer
MAIL_ANSWER_SECONDS = 45  # for the receipt of a whole message: who hangs up early sends twice
OUTBOX_LEASE_SECONDS = 60  # more than the receipt takes
MAIL_VIEWER = False  # copies of sent mail on a page: for demo and development
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="no-reply@sellercentral.example")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_TRANSPORT = "core.broker:Transport"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
# A task that kills its process would come back at once, and again: its rows are looked for anew
# after a lease instead.
CELERY_TASK_REJECT_ON_WORKER_LOST = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 400_000  # kilobytes; then a child is replaced (FT-07)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a broker may be away for longer than 100 tries take
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_TASK_TIME_LIMIT = 300
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 600,
    "max_retries": 0,  # whoever nudges tries once: else a page would wait three times as long
    "socket_timeout": 2,
    "socket_connect_timeout": 1,
}
# Nobody steers workers through the broker; what they would have to write there at each start a
# broker that is full refuses.
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False  # tasks log JSON lines as pages do
# Queues of their own, so that a long file cannot hold up a message; a worker takes all of them
# unless it is started with --queues.
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_QUEUES = [
    Queue(name, routing_key=name)
    for name in ("default", "feeds", "reports", "documents", "notifications")
]
CELERY_TASK_ROUTES = {
    "uploads.*": {"queue": "feeds"},
    "reports.*": {"queue": "reports"},
    "notifications.*": {"queue": "notifications"},
}
# When each job is due, under its name (core.jobs); a check holds the two together (TECH-04).
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "alerts": {"task": "operators.tell_operators", "schedule": timedelta(minutes=1)},
    "auto-cancel": {"task": "orders.cancel_overdue", "schedule": timedelta(minutes=5)},
    "cancellation-request-limits": {
        "task": "orders.tell_overdue_requests",
        "schedule": timedelta(minutes=15),
    },
    "check-payments": {"task": "orders.check_payments", "schedule": timedelta(minutes=1)},
    "confirmation-warnings": {
        "task": "orders.warn_of_deadlines",
        "schedule": timedelta(minutes=5),
    },
    "delivery-assumption": {
        "task": "orders.assume_deliveries",
        "schedule": crontab(hour="1", minute="20"),
    },
    "expiry": {"task": "orders.expire", "schedule": crontab(hour="2", minute="20")},
    "history-digest": {
        "task": "audit.digest_history",
        "schedule": crontab(hour="0", minute="20"),
    },
    "invariant-check": {
        "task": "orders.check_invariants",
        "schedule": crontab(hour="3", minute="20"),
    },
    "process-uploads": {"task": "uploads.process_uploads", "schedule": timedelta(seconds=15)},
    "report-expiry": {
        "task": "reports.expire_reports",
        "schedule": crontab(hour="2", minute="40"),
    },
    "reports": {"task": "reports.make_reports", "schedule": timedelta(seconds=30)},
    "resume-jobs": {"task": "core.resume_jobs", "schedule": timedelta(seconds=15)},
    "scheduled-reports": {"task": "reports.run_schedules", "schedule": timedelta(minutes=1)},
    "send-outbox": {"task": "notifications.send_outbox", "schedule": timedelta(minutes=1)},
    "settle-operations": {"task": "orders.settle_operations", "schedule": timedelta(seconds=30)},
}

PAYMENT_GATEWAY = env.str("PAYMENT_GATEWAY", default="payments.gateways.sandbox.SandboxGateway")
SANDBOX_VERIFICATION_DELAY = timedelta(
    seconds=env.int("SANDBOX_VERIFICATION_SECONDS", default=15 * 60)
)
OPERATION_LEASE_SECONDS = 60  # how long a call at the gateway is left to whoever made it
UPLOAD_CHUNK = 500  # records of an upload that are worked on together
UPLOAD_LEASE_SECONDS = 60  # how long a chunk of an upload may take
JOB_LEASE_SECONDS = 45  # how long a run that says nothing is believed to be alive
WATCH_SECONDS = 120  # without a look for alerts, after which a web process looks by itself
WATCH_PAUSE_SECONDS = 10.0  # between its looks
ALERT_SILENCE_SECONDS = 300  # without a tick of the timetable, after which operators are told
BREAKER_SECONDS = 30.0  # how long a server that did not answer is left alone
# With it the gateway signs what it reports to /api/gateway/callback/; empty: none is taken.
GATEWAY_CALLBACK_SECRET = env.str("GATEWAY_CALLBACK_SECRET", default="")
# Days after the purchase that addresses, phones and e-mails of finished orders are kept (IMPL-22).
PERSONAL_DATA_DAYS = env.int("PERSONAL_DATA_DAYS", default=730)
# Alerts are posted there as JSON, too; empty: operators are told by mail and log alone.
ALERT_WEBHOOK_URL = env.str("ALERT_WEBHOOK_URL", default="")
SEARCHES_A_MINUTE = 60  # of one person (SD-10); who types quickly makes ten
CLOCK_MAY_STOP = False
FAIL_POINTS_FILE = ""  # named by settings of tests only

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_AUTHENTICATION_CLASSES": ["orders.api.authentication.KeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["orders.api.parsers.StrictJSONParser"],
    "EXCEPTION_HANDLER": "orders.api.errors.answer",
    "DEFAULT_THROTTLE_CLASSES": ["orders.api.throttling.PerKey"],
    "COERCE_DECIMAL_TO_STRING": True,
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": f"{SITE_NAME} order API",
    "DESCRIPTION": "Place and read orders of a merchant, under a key of that merchant.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [
        "orders.api.authentication.KeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "core.logs.JsonLines"}},
    "handlers": {"stdout": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stdout"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "weasyprint": {"level": "ERROR"},
        "fontTools": {"level": "WARNING"},
        "django.security.DisallowedHost": {"level": "WARNING"},
    },
}
