# Build: docker build -t textbatch:score .                    scores on the CPU: no TensorFlow, no gensim
#        docker build -t textbatch:score --build-arg EXTRAS=s3,gcs,azure,prometheus,html .
#        docker build -t textbatch:train --target train .     every command; train, tune, audit
#        docker build -t textbatch:gpu --target train --build-arg EXTRAS=gpu .
# How to run it: docs/operations.md

FROM python:3.12.13-slim-trixie AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
# The environment itself needs no pip.
RUN python -m venv --without-pip /opt/textbatch
WORKDIR /build
# The package without its modules, so that its dependencies are a layer of their own: they are large,
# and change less often than the source.
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY src/textbatch/__init__.py src/textbatch/


FROM build AS build-score
ARG EXTRAS=s3,prometheus,html
RUN pip --python /opt/textbatch/bin/python install --only-binary :all: -c constraints.txt ".${EXTRAS:+[$EXTRAS]}"
COPY src ./src
RUN pip --python /opt/textbatch/bin/python install --no-deps --force-reinstall . \
    && /opt/textbatch/bin/textbatch --version
# What a job never reads: tests, headers, Arrow's RPC, and the descriptions of hundreds of other services.
RUN find /opt/textbatch/lib -type d \( -name tests -o -path '*/onnx/backend/test' -o -path '*/pyarrow/include' \
        -o -path '*/matplotlib/mpl-data/sample_data' \) -prune -exec rm -rf {} + \
    && find /opt/textbatch/lib -path '*/pyarrow/*flight*' -delete \
    && find /opt/textbatch/lib -path '*/botocore/data/*' -prune -type d \
        ! -name s3 ! -name sts ! -name sso ! -name sso-oidc -exec rm -rf {} +


FROM build AS build-train
ARG EXTRAS=train,tune,audit
RUN pip --python /opt/textbatch/bin/python install --only-binary :all: -c constraints.txt ".${EXTRAS:+[$EXTRAS]}"
COPY src ./src
RUN pip --python /opt/textbatch/bin/python install --no-deps --force-reinstall . \
    && pip --python /opt/textbatch/bin/python check


FROM python:3.12.13-slim-trixie AS base
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
