"""A server that trades; it refuses to start with a mistake (reliability 2.2)."""

from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from sellercentral.settings.base import *  # noqa: F403
from sellercentral.settings.base import (
    ALERT_WEBHOOK_URL,
    ALLOWED_HOSTS,
    DATABASE_OWNER,
    DATABASES,
    DEBUG,
    GATEWAY_CALLBACK_SECRET,
    MIDDLEWARE,
    SITE_URL,
    env,
)

# What has a default on one's own machine must be named here.
for _name in ("ALLOWED_HOSTS", "DATABASE_URL", "REDIS_URL", "SITE_URL", "EMAIL_URL"):
    if not env.str(_name, default=""):
        raise ImproperlyConfigured(f"{_name} must be set on a server.")
if DATABASE_OWNER and DATABASE_OWNER["NAME"] != DATABASES["default"]["NAME"]:
    raise ImproperlyConfigured("DATABASE_OWNER_URL must lead to the database of DATABASE_URL.")
# Nobody trades with the sandbox by accident: a gateway is chosen by name.
PAYMENT_GATEWAY = env.str("PAYMENT_GATEWAY")

if 0 < len(GATEWAY_CALLBACK_SECRET) < 32:
    raise ImproperlyConfigured("GATEWAY_CALLBACK_SECRET must be at least 32 random characters.")

SECRET_KEY = env.str("SECRET_KEY", default="")
_PLACEHOLDERS = ("change", "insecure", "secret", "example", "placeholder")
if len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 10:
    raise ImproperlyConfigured("SECRET_KEY must be at least 50 random characters.")
if any(word in SECRET_KEY.lower() for word in _PLACEHOLDERS):
    raise ImproperlyConfigured("SECRET_KEY is a placeholder; make a random one.")
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", default=[])
if env.str("FAIL_POINTS_FILE", default=""):
    raise ImproperlyConfigured("FAIL_POINTS_FILE lets processes fail on purpose: for tests only.")
if DEBUG:
    raise ImproperlyConfigured("DEBUG shows the inside of the product to everybody.")
if any("*" in host for host in ALLOWED_HOSTS):
    raise ImproperlyConfigured("ALLOWED_HOSTS must name the hosts; * is refused.")
if urlsplit(SITE_URL).scheme != "https":
    raise ImproperlyConfigured("SITE_URL must begin with https: links in mails are made from it.")
if ALERT_WEBHOOK_URL and urlsplit(ALERT_WEBHOOK_URL).scheme != "https":
    raise ImproperlyConfigured("ALERT_WEBHOOK_URL must begin with https.")

# Pages are sent on to HTTPS; the API refuses instead, for its key has already been shown. Whether
# a request came by HTTPS is told by the web server, which believes the proxies in PROXY_IPS only.
MIDDLEWARE = ["core.middleware.ApiNeedsHttps", *MIDDLEWARE]
SECURE_SSL_REDIRECT = True
SECURE_REDIRECT_EXEMPT = [r"^health/", r"^api/"]
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_NAME = "__Host-session"
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_NAME = "__Host-csrf"
CSRF_COOKIE_SECURE = True
SANDBOX_SIGN_INS = False
MAIL_VIEWER = False
