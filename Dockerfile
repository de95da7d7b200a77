# The image holds what serving needs and nothing else: no compiler, no training stack, no data.
FROM python:3.11-slim AS build
RUN python -m venv /opt/venv
COPY requirements/serve.lock /tmp/serve.lock
RUN /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check \
    --require-hashes --only-binary :all: -r /tmp/serve.lock \
    && /opt/venv/bin/pip uninstall --yes --quiet pip setuptools

FROM python:3.11-slim
COPY --from=build /opt/venv /opt/venv
WORKDIR /srv/fraudscore
COPY gunicorn.conf.py ./
COPY model ./model
COPY app ./app
COPY artifacts ./artifacts
# Platforms that pick an arbitrary user give it group 0: that group may write where anything writes
# (the home), and the bytecode is compiled now because the code itself stays read-only.
RUN python -m compileall -q app model \
    && install -d -m 0775 -g 0 /home/fraudscore
ENV PATH=/opt/venv/bin:$PATH \
    HOME=/home/fraudscore \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 \
    PORT=8000
USER 10001:0
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['PORT'] + os.environ.get('SCRIPT_NAME', '').rstrip('/') + '/health', timeout=2)"]
CMD ["gunicorn", "-c", "gunicorn.conf.py"]
