#!/bin/sh
# Write what an image is built from, champions included, into a folder of its own: for hosts that build from a repository, which
# does not hold the champions. No data and no image or row of a sample is among it (.dockerignore; tests/test_deploy.py).
# Usage: deploy/export.sh FOLDER
set -eu
[ $# = 1 ] || { echo "usage: deploy/export.sh FOLDER" >&2; exit 2; }
[ ! -e "$1" ] || { echo "$1 is there already; name a new folder" >&2; exit 2; }
mkdir -p "$1"
to=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
set -- models/*/best
[ -d "$1" ] || { echo "found no champion in models/*/best; run 'dvc repro' or 'dvc pull' first" >&2; rmdir "$to"; exit 2; }
git ls-files -z app pipeline deploy .streamlit .dockerignore Dockerfile render.yaml requirements.txt requirements-serve.txt LICENSE NOTICE \
  'reports/*.json' 'reports/*.csv' ':!reports/*/plots/*' ':!reports/*/figures/*' ':!reports/*/fixed_sides.csv' |
  tar -c --null -T - | tar -x -C "$to"
tar -c "$@" | tar -x -C "$to"
cp deploy/space.md "$to/README.md"
cat >> "$to/Dockerfile" <<'END'
# A Space starts the app; the files of other hosts name their command.
CMD ["sh", "-c", "exec streamlit run app/main.py --server.address 0.0.0.0 -- --without-keys --allowed-hosts \"$SPACE_HOST\""]
END
echo "wrote $to"
