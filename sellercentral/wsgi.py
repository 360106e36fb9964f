"""The web process."""

import os

from django.core.wsgi import get_wsgi_application

from core.bodies import WholeBodies
from core.encoding import Utf8Only

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sellercentral.settings.production")

application = WholeBodies(Utf8Only(get_wsgi_application()))
