"""Log lines: on standard error, so that what a command prints for programs stays what it is."""

import json
import subprocess
import sys


def test_a_line_that_nobody_configured_goes_to_standard_error_as_json():
    code = "from holdfast.kit.log import logger; logger('x').warning('slow_writes', count=2)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert json.loads(done.stderr)["event"] == "slow_writes"
