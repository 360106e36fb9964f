"""Tests: as the product runs, with a clock that can be stopped and mail kept in memory."""

import os
from urllib.parse import urlsplit

os.environ.setdefault(
    "STATICFILES_BACKEND", "django.contrib.staticfiles.storage.StaticFilesStorage"
)

from sellercentral.settings.base import *  # noqa: F403
from sellercentral.settings.base import BASE_DIR, CACHES, DATABASES, LOGGING, REDIS_URL, env

SECRET_KEY = "tests-" + "0" * 60
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
CLOCK_MAY_STOP = True
GATEWAY_CALLBACK_SECRET = "tests-gateway-" + "0" * 30
CELERY_TASK_ALWAYS_EAGER = True
SANDBOX_SIGN_INS = True
ADMIN_SITE = True
MAIL_VIEWER = True
# Static files as they stand in the tree: a clean clone has not collected any.
WHITENOISE_AUTOREFRESH = True
WHITENOISE_USE_FINDERS = True
LOGGING = {**LOGGING, "root": {"handlers": ["stdout"], "level": "ERROR"}}
if template := env.str("TEST_DATABASE_TEMPLATE", default=""):
    DATABASES["default"]["TEST"] = {"TEMPLATE": template}

# Tests side by side count their limits apart, and a cleared cache is one's own.
_worker = env.str("PYTEST_XDIST_WORKER", default="gw0").removeprefix("gw")
CACHES["default"]["LOCATION"] = urlsplit(REDIS_URL)._replace(path=f"/{1 + int(_worker)}").geturl()

# Kept files, too: jobs of tests remove what no row of theirs names.
MEDIA_ROOT = str(BASE_DIR / ".runtime" / f"test-files-{_worker}")
