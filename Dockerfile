# Build: docker build -t textbatch .
# How to run it: docs/operations.md

FROM python:3.12-slim AS builder
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/textbatch
WORKDIR /build

# The dependencies are a layer of their own: they are large, and change less often than the source.
COPY pyproject.toml ./
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" > requirements.txt \
    && /opt/textbatch/bin/pip install --only-binary :all: -r requirements.txt

COPY README.md LICENSE ./
COPY src ./src
RUN pip wheel --no-deps --wheel-dir dist . \
    && /opt/textbatch/bin/pip install --no-deps dist/*.whl \
    && /opt/textbatch/bin/pip check


FROM python:3.12-slim
LABEL org.opencontainers.image.title="textbatch" \
      org.opencontainers.image.description="Trustworthy labels on text, in batch" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=builder /opt/textbatch /opt/textbatch

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
