# One image for web, worker and beat; compose.yaml shows the commands.
FROM python:3.11-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /venv
COPY requirements.txt /tmp/requirements.txt
RUN /venv/bin/pip install --require-hashes -r /tmp/requirements.txt
WORKDIR /app
COPY . .
# Settings want keys even here; these live only as long as this line and encrypt nothing.
RUN SECRET_KEY=build PIPELIME_KEYS=build:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA \
    PIPELIME_DATA=/tmp/build PIPELIME_STATIC=/app/staticfiles \
    /venv/bin/python manage.py collectstatic --noinput \
    && /venv/bin/python -m compileall -q pipelime crm outreach webhooks

FROM python:3.11-slim
RUN useradd --system --uid 10001 --create-home --home-dir /data pipelime
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=pipelime.settings \
    PIPELIME_DATA=/data \
    PIPELIME_STATIC=/app/staticfiles
USER pipelime
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
CMD ["gunicorn", "pipelime.wsgi:application", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", \
     "--workers", "2", "--threads", "4", "--timeout", "60", "--graceful-timeout", "15", \
     "--worker-tmp-dir", "/dev/shm", "--no-control-socket"]
