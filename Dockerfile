# syntax=docker/dockerfile:1
ARG PYTHON_IMAGE=python:3.13-slim-trixie

# 1. Packages from the hashed list, and the static files, compressed and named after their content.
FROM ${PYTHON_IMAGE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements/runtime.txt /tmp/runtime.txt
RUN python3 -m venv /venv \
 && /venv/bin/pip install --require-hashes --only-binary=:all: -r /tmp/runtime.txt
COPY . /app
WORKDIR /app
RUN DJANGO_SETTINGS_MODULE=sellercentral.settings.dev STATIC_ROOT=/app/static-files \
    STATICFILES_BACKEND=whitenoise.storage.CompressedManifestStaticFilesStorage \
    /venv/bin/python manage.py collectstatic --noinput --verbosity 0

# 2. What runs: Pango and fonts for PDF files, an init process, a user without rights.
FROM ${PYTHON_IMAGE}
RUN apt-get update \
 && apt-get install -y --no-install-recommends \
    fontconfig fonts-liberation fonts-noto-cjk libharfbuzz-subset0 libpango-1.0-0 libpangoft2-1.0-0 tini \
 && rm -rf /var/lib/apt/lists/* \
 && fc-cache -f \
 && useradd --uid 10001 --no-create-home --home-dir /app --shell /usr/sbin/nologin app \
 && install -d -o app -g app -m 0700 /app/files
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    XDG_CACHE_HOME=/tmp/.cache \
    DJANGO_SETTINGS_MODULE=sellercentral.settings.production \
    STATIC_ROOT=/app/static-files \
    STATICFILES_BACKEND=whitenoise.storage.CompressedManifestStaticFilesStorage \
    MEDIA_ROOT=/app/files \
    BIND=0.0.0.0:8000
USER app
EXPOSE 8000
ENTRYPOINT ["/usr/bin/tini", "--"]
CMD ["gunicorn", "--config", "deploy/gunicorn.conf.py", "sellercentral.wsgi"]
