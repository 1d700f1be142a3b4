"""S3 clients of npm: full round trips by the AWS SDK for JavaScript v3 and by minio-js."""
import os
import subprocess

import pytest

from npm_packages import installed
from signing import ACCESS, SECRET


@pytest.fixture(scope="module")
def programs():
    return installed("js")


@pytest.mark.parametrize("program", ["aws_sdk", "minio_js"])
def test_round_trip(programs, guarded, program):
    environment = dict(os.environ, S3_ENDPOINT=guarded.url(), S3_ACCESS_KEY=ACCESS, S3_SECRET_KEY=SECRET,
                       S3_BUCKET="npm-" + program.replace("_", "-"), AWS_EC2_METADATA_DISABLED="true", NODE_NO_WARNINGS="1")
    done = subprocess.run(["node", f"{program}.mjs"], cwd=programs, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and done.stdout.endswith("ok\n"), done.stdout + done.stderr
