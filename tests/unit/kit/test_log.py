"""Log lines of a command: on standard error, so that what it prints for programs stays what it is."""

import json
import os
import subprocess
import sys

LINE = "from holdfast.kit.log import logger; logger('x').warning('slow_writes', count=2)"


def run_line(**environment):
    code = [sys.executable, "-c", LINE]
    return subprocess.run(
        code, capture_output=True, text=True, check=True, env={**os.environ, **environment}
    )


def test_a_command_says_nothing_that_a_person_did_not_ask_for():
    done = run_line()
    assert (done.stdout, done.stderr) == ("", "")


def test_a_line_that_is_asked_for_goes_to_standard_error_as_json():
    done = run_line(HOLDFAST_LOG_LEVEL="info")
    assert done.stdout == ""
    assert json.loads(done.stderr)["event"] == "slow_writes"
