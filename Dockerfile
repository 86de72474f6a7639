# Build: docker build -t textbatch:score .                    scores on the CPU: no TensorFlow, no gensim
#        docker build -t textbatch:train --target train .     every command
#        docker build -t textbatch:gpu --target train --build-arg EXTRAS=gpu .
# How to run it: docs/operations.md

FROM python:3.12-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
# Older releases of pip know no dependency groups. The environment itself needs none.
RUN pip install "pip>=25.1" && python -m venv --without-pip /opt/textbatch
WORKDIR /build
COPY pyproject.toml ./


# Dependencies are a layer of their own: they are large, and change less often than the source.
FROM build AS build-score
# The linter takes the group for a package without a version.
# hadolint ignore=DL3013
RUN pip --python /opt/textbatch/bin/python install --only-binary :all: --group score
COPY README.md LICENSE ./
COPY src ./src
RUN pip --python /opt/textbatch/bin/python install --no-deps . \
    && /opt/textbatch/bin/textbatch --version


FROM build AS build-train
ARG EXTRAS=tune,audit
RUN python -c "import sys, tomllib; project = tomllib.load(open('pyproject.toml', 'rb'))['project']; extras = filter(None, sys.argv[1].split(',')); print(*project['dependencies'], *(line for name in extras for line in project['optional-dependencies'][name]), sep='\n')" "$EXTRAS" > requirements.txt \
    && pip --python /opt/textbatch/bin/python install --only-binary :all: -r requirements.txt
COPY README.md LICENSE ./
COPY src ./src
RUN pip --python /opt/textbatch/bin/python install --no-deps . \
    && pip --python /opt/textbatch/bin/python check


FROM python:3.12-slim AS base
LABEL org.opencontainers.image.title="textbatch" \
      org.opencontainers.image.description="Trustworthy labels on text, in batch" \
      org.opencontainers.image.licenses="Apache-2.0"
# The root file system may be read-only: byte code was compiled above, and HOME is /tmp. ONNX Runtime
# would otherwise keep a device ID there and report its use to Microsoft.
ENV PATH=/opt/textbatch/bin:$PATH \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ORT_DISABLE_TELEMETRY=1
# A number, so that Kubernetes can check runAsNonRoot without a user database.
USER 10001:10001
WORKDIR /data
ENTRYPOINT ["textbatch"]


FROM base AS train
COPY --from=build-train /opt/textbatch /opt/textbatch


FROM base AS score
COPY --from=build-score /opt/textbatch /opt/textbatch
