"""Settings of processes that are killed: those of tests, with the mail server of EMAIL_URL."""

from sellercentral.settings.test import *  # noqa: F403
from sellercentral.settings.test import env

EMAIL_BACKEND = env.email_url("EMAIL_URL")["EMAIL_BACKEND"]
