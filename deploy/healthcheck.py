"""Ask the web process of this container whether it can work; the exit status answers."""

import os
import sys
import urllib.request

host = os.environ["ALLOWED_HOSTS"].split(",")[0]
question = urllib.request.Request(
    "http://127.0.0.1:8000/health/ready/", headers={"Host": host.lstrip(".")}
)
try:
    with urllib.request.urlopen(question, timeout=4) as answer:
        sys.exit(0 if answer.status == 200 else 1)
except OSError:
    sys.exit(1)
