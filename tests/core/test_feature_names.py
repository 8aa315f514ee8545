"""Names of features are light: the app's first page imports them."""

import subprocess
import sys

from tests.helpers.samples import ROOT


def test_the_first_page_needs_no_model_of_params():
    code = "import sys, app.views.predict; sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
