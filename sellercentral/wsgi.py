"""The web process."""

import os

from django.core.wsgi import get_wsgi_application

from core.encoding import Utf8Only

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sellercentral.settings.production")

application = Utf8Only(get_wsgi_application())
