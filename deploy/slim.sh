#!/bin/sh
# Delete what serving never loads from an environment with requirements-serve.txt: tests, sources, Arrow's network protocols and
# copies, AVIF, charts that the app does not draw, LiteRT's compiler and GPU plug-in, byte code. Then compile what it does
# load. 633 MB become 505, as 'make soak' measures.
# Usage: deploy/slim.sh ENVIRONMENT
set -eu
python=$(cd "$1" && pwd)/bin/python
cd "$1"/lib/python3*/site-packages
find . -type f \( -name '*.py[xi]' -o -name '*.px[di]' -o -name '*.h' -o -name '*.a' \) -delete
find . -type d \( -name tests -o -name __pycache__ \) -prune -exec rm -rf {} +
rm -rf pyarrow/include pyarrow/src pyarrow/*flight* pydeck/nbextension pydicom/data/*_files pydicom/sr \
  pyarrow/libarrow_python.so pyarrow/libarrow_python.so.*.* pyarrow/_gcsfs* pyarrow/_s3fs* pyarrow/_azurefs* pyarrow/_hdfs* pyarrow/_orc* \
  PIL/_avif* pillow.libs/libavif* \
  streamlit/static/static/js/PlotlyChart.* streamlit/static/static/js/DeckGlJsonChart.* streamlit/static/static/js/EChartsChart.* \
  streamlit/static/static/js/GraphVizChart.* \
  ai_edge_litert/tools ai_edge_litert/vendors ai_edge_litert/aot ai_edge_litert/libLiteRtWebGpuAccelerator*
env -u PYTHONDONTWRITEBYTECODE "$python" -c "
import ai_edge_litert.interpreter, fastapi, pandas, prometheus_client, pydicom.pixels, python_multipart, streamlit.web.cli, uvicorn
import libjpeg, openjpeg, pylibjpeg
import sklearn.compose, sklearn.dummy, sklearn.ensemble, sklearn.linear_model, sklearn.neighbors"
