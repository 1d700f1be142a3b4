#!/usr/bin/env python3
"""Runs Ceph's S3 conformance suite (github.com/ceph/s3-tests, a checkout that the caller has) against a node of its own.

    tests/conformance/run.py CHECKOUT [--all] [-k EXPRESSION] [--report FILE] [--python PYTHON]

Without --all: the core. That is test_s3.py and test_headers.py without the tests that Ceph itself marks as failing, and
without what S3 has beyond storing objects and Cairn answers NotImplemented to (EXCLUDED below, and docs/s3.md). The
suite needs python3-boto3, -munch, -isodate, -tz, -lxml, -httplib2, -requests and -yaml of Debian; an older boto3 does not
know all parameters that it sends, so --python names another interpreter, of a virtual environment with a current one. The
exit code is 0 when the suite ran, whatever it found: it is a measurement; the list of what failed is the result.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e/support"))
from cairn_node import BINARY, Node  # noqa: E402

ACCESS, SECRET, TOKEN = "conformance-root", "conformance-root-secret", "conformance-token-0123"
DAY_SECONDS = 4  # of lifecycle rules

# The suite's own markers …
EXCLUDED_MARKERS = """fails_on_rgw auth_aws2 bucket_policy bucket_encryption encryption sse_s3 bucket_logging
bucket_logging_cleanup object_lock object_ownership lifecycle_transition cloud_transition cloud_restore target_by_bucket
storage_class s3website s3website_routing_rules s3website_redirect_location iam_account iam_cross_account iam_role
iam_tenant iam_user user_policy role_policy group_policy group session_policy sns s3select appendobject""".split()
# … and words in the names of tests that lack one.
EXCLUDED_WORDS = ["object_lock", "policy", "post_object", "_acl", "public_block", "block_public", "torrent", "website"]


def make_key(node, label):
    command = [BINARY, "key", "create", "--label", label, "--create-buckets", "--json", "--admin", f"http://127.0.0.1:{node.admin_port}"]
    made = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True,
                          env=dict(os.environ, CAIRN_ADMIN_TOKEN=TOKEN))
    return json.loads(made.stdout)


def write_suite_config(path, node, alt, tenant):
    # Lists name an access key of nobody by its id. There is one owner of what it puts, cairn.
    def user(section, access, secret, extra="", name="cairn"):
        return f"[{section}]\ndisplay_name = {name}\nuser_id = {name}\nemail = {section.replace(' ', '')}@example.com\n" \
               f"access_key = {access}\nsecret_key = {secret}\n{extra}\n"

    path.write_text(
        f"[DEFAULT]\nhost = localhost\nport = {node.http_port}\nis_secure = False\nssl_verify = False\n"
        "[fixtures]\nbucket prefix = conformance-{random}-\n"
        + user("s3 main", ACCESS, SECRET, f"lc_debug_interval = {DAY_SECONDS}\n")
        + user("s3 alt", alt["access_key"], alt["secret_key"], name=alt["access_key"])
        + user("s3 tenant", tenant["access_key"], tenant["secret_key"], "tenant = cairn\n")
        + "".join(user(section, ACCESS, SECRET) for section in ("iam", "iam root", "iam alt root")))


def pytest_command(options, further_marker=None):
    command = [options.python, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    markers = ([] if options.all else EXCLUDED_MARKERS) + ([further_marker] if further_marker else [])
    words = ([] if options.all else [f"not {word}" for word in EXCLUDED_WORDS]) + ([f"({options.k})"] if options.k else [])
    if markers:
        command += ["-m", " and ".join(f"not {marker}" for marker in markers)]
    if words:
        command += ["-k", " and ".join(words)]
    return command + ["s3tests/functional/test_s3.py", "s3tests/functional/test_headers.py"]


def suite_environment(config):
    # Botocore's native part refuses to sign some of what the tests want to send.
    return dict(os.environ, S3TEST_CONF=str(config), PYTHONDONTWRITEBYTECODE="1", BOTO_DISABLE_CRT="true")


def run_suite(checkout, folder, config, options):
    report = folder / "report.xml"
    with open(folder / "pytest.log", "w") as log:
        subprocess.run(pytest_command(options) + ["--tb=short", f"--junitxml={report}"], cwd=checkout, env=suite_environment(config),
                       stdout=log, stderr=subprocess.STDOUT)
    if not report.exists():
        sys.exit((folder / "pytest.log").read_text()[-3000:])
    return report


def true_of_aws(checkout, config, options):
    """The names of the tests that the suite does not mark as failing against S3 itself."""
    listed = subprocess.run(pytest_command(options, "fails_on_aws") + ["--collect-only"], cwd=checkout, env=suite_environment(config),
                            capture_output=True, text=True)
    return {line.split("::")[-1] for line in listed.stdout.splitlines() if "::" in line}


def outcomes(report):
    """Test → passed, failed, error or skipped; an error while cleaning up counts as one of the test."""
    found = {}
    for case in xml.etree.ElementTree.parse(report).iter("testcase"):
        name = case.get("name")
        kinds = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
        outcome = {"failure": "failed"}.get(kinds[0], kinds[0]) if kinds else "passed"
        message = next((child.get("message") or "" for child in case if child.tag in ("failure", "error")), "")
        if found.get(name, ("passed",))[0] == "passed":
            found[name] = (outcome, message.splitlines()[0] if message else "")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkout", type=pathlib.Path, help="of github.com/ceph/s3-tests")
    parser.add_argument("--all", action="store_true", help="every test of the two files, also of what is not implemented")
    parser.add_argument("-k", help="only the tests that pytest's -k would choose")
    parser.add_argument("--report", type=pathlib.Path, help="write the outcome of each test here")
    parser.add_argument("--python", default=sys.executable, help="the interpreter that runs the suite")
    parser.add_argument("--keep", type=pathlib.Path, help="folder for the node's data and all logs; it must not exist")
    options = parser.parse_args()
    if not (options.checkout / "s3tests/functional/test_s3.py").exists():
        parser.error(f"{options.checkout} has no s3tests/functional/test_s3.py")
    with tempfile.TemporaryDirectory(prefix="cairn-conformance-") as temporary:
        folder = (options.keep or pathlib.Path(temporary)).resolve()
        node = Node(folder / "node", auth_anonymous="none", auth_root_access_key=ACCESS, auth_root_secret_key=SECRET,
                    auth_sigv2="presigned",  # its forms
                    auth_object_ownership="ObjectWriter",  # as S3 made buckets when most tests were written
                    admin_token=TOKEN, debug_lifecycle_day=f"{DAY_SECONDS}s").start()
        try:
            config = folder / "suite.conf"
            write_suite_config(config, node, make_key(node, "alt"), make_key(node, "tenant"))
            found = outcomes(run_suite(options.checkout, folder, config, options))
            of_aws = true_of_aws(options.checkout, config, options)
        finally:
            node.stop()
    lines = [f"{outcome} {name} {message}".rstrip() for name, (outcome, message) in sorted(found.items())]
    if options.report:
        options.report.write_text("\n".join(lines) + "\n")
    print("\n".join(line for line in lines if not line.startswith("passed")))
    for what, chosen in (("all", found), ("those that S3 itself passes, as the suite says", found.keys() & of_aws)):
        passed = sum(found[name][0] == "passed" for name in chosen)
        print(f"{what}: {passed} of {len(chosen)} passed")


if __name__ == "__main__":
    main()
