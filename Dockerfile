# Two images on the locked requirements. `serve` (the API and the app) has neither tensorflow nor mlflow nor dvc, and takes
# the champions along if they are there when it is built; `full` has all that the graph and an MLflow server need.
FROM python:3.11-slim AS base
ENV PYTHONUNBUFFERED=1 HOME=/tmp
WORKDIR /assay
RUN useradd --uid 1000 --no-create-home assay

FROM base AS full
RUN mkdir /artifacts && chown assay /artifacts
COPY requirements.txt ./
RUN pip install --no-cache-dir --no-compile --require-hashes -r requirements.txt
USER assay

FROM base AS installed
COPY requirements-serve.txt ./
COPY deploy/slim.sh deploy/
RUN python -m venv --without-pip /opt/assay \
 && pip --python /opt/assay install --no-cache-dir --no-compile --require-hashes -r requirements-serve.txt \
 && deploy/slim.sh /opt/assay

FROM base AS serve
ENV PATH=/opt/assay/bin:$PATH
COPY --from=installed /opt/assay /opt/assay
COPY .streamlit .streamlit
COPY pipeline pipeline
COPY app app
COPY reports reports
COPY models models
RUN mkdir -p data/monitor && chown assay data/monitor
USER assay
EXPOSE 8000 8501
HEALTHCHECK --start-period=30s CMD python -c "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz')"
# Refuses to start without ASSAY_API_KEYS: the address can be reached from elsewhere.
CMD ["python", "-m", "app.api", "--host", "0.0.0.0", "--port", "8000"]
