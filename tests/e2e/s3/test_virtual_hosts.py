"""Buckets named by the host (virtual-hosted style), beside those named by the path."""
import shutil
import subprocess

import pytest

from cairn_node import Node
from signing import ACCESS, SECRET, Signer, sha256

DOMAIN = "s3.example.com"
curl = pytest.mark.skipif(shutil.which("curl") is None, reason="no curl")


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    n = Node(tmp_path_factory.mktemp("hosts"), auth_anonymous="none", auth_root_access_key=ACCESS, auth_root_secret_key=SECRET,
             http_domains=[DOMAIN, "other.example"]).start()
    assert call(n, "PUT", "/files", f"127.0.0.1:{n.http_port}").status == 200
    yield n
    n.stop()


def call(node, method, path, host, body=b"", **headers):
    return node.request(method, path, body or None, Signer().headers(method, host, path, sha256(body), **headers))


def test_the_host_names_the_bucket_and_the_path_the_key(node):
    host = f"files.{DOMAIN}"
    assert call(node, "PUT", "/files/a%2Fb", host, b"hello").status == 200
    for path, of in (("/files/a/b", f"Files.{DOMAIN.upper()}:{node.http_port}"), ("/files/files/a/b", DOMAIN),
                     ("/files/files/a/b", f"127.0.0.1:{node.http_port}"), ("/files/a/b", "files.other.example.")):
        assert call(node, "GET", path, of).body == b"hello", of
    assert b"<Key>files/a/b</Key>" in call(node, "GET", "/", host).body
    assert b"<Name>files</Name>" in call(node, "GET", "/", DOMAIN).body
    assert call(node, "GET", "/k", f"none.{DOMAIN}").code() == "NoSuchBucket"
    assert call(node, "GET", "/k", f"Not_A_Bucket.{DOMAIN}").code() == "InvalidBucketName"
    assert call(node, "PUT", "/", f"made.{DOMAIN}").status == 200
    assert call(node, "HEAD", "/made", DOMAIN).status == 200
    assert call(node, "DELETE", "/", f"made.{DOMAIN}").status == 204


def test_a_signature_holds_for_the_host_that_it_was_made_for(node):
    assert call(node, "PUT", "/k", f"files.{DOMAIN}", b"hello").status == 200
    url = Signer().presigned("GET", f"files.{DOMAIN}", "/k")
    assert node.request("GET", url, headers={"Host": f"files.{DOMAIN}"}).body == b"hello"
    for host in (f"other.{DOMAIN}", DOMAIN, f"127.0.0.1:{node.http_port}"):
        assert node.request("GET", url, headers={"Host": host}).code() == "SignatureDoesNotMatch", host


def test_a_target_of_another_host_than_the_signed_one_is_refused(node):
    assert call(node, "PUT", "/", f"victim.{DOMAIN}").status == 200
    assert call(node, "PUT", "/k", f"victim.{DOMAIN}", b"kept").status == 200
    mine = f"files.{DOMAIN}"
    for method in ("GET", "PUT", "DELETE"):
        url = Signer().presigned(method, mine, "/k")
        for host in (f"victim.{DOMAIN}", DOMAIN):
            sent = node.request(method, f"http://{host}{url}", b"evil" if method == "PUT" else None, headers={"Host": mine})
            assert sent.status == 400, (method, host)
    assert call(node, "GET", "/k", f"victim.{DOMAIN}").body == b"kept"


def test_locations_are_urls_of_the_style_in_use(node):
    for path, host in (("/up", f"files.{DOMAIN}"), ("/files/up", DOMAIN)):
        begun = call(node, "POST", f"{path}?uploads", host).body.decode()
        upload = begun.partition("<UploadId>")[2].partition("<")[0]
        etag = call(node, "PUT", f"{path}?partNumber=1&uploadId={upload}", host, b"part").header("etag")
        document = f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
        done = call(node, "POST", f"{path}?uploadId={upload}", host, document.encode())
        assert f"<Location>http://{host}{path}</Location><Bucket>files</Bucket><Key>up</Key>" in done.body.decode()


def test_pages_of_other_origins_are_judged_by_the_bucket_of_the_host(node):
    rule = (b"<CORSConfiguration><CORSRule><AllowedOrigin>https://app.example</AllowedOrigin><AllowedMethod>PUT</AllowedMethod>"
            b"</CORSRule></CORSConfiguration>")
    assert call(node, "PUT", "/?cors", f"files.{DOMAIN}", rule).status == 200
    asked = {"Host": f"files.{DOMAIN}", "Origin": "https://app.example", "Access-Control-Request-Method": "PUT"}
    assert node.request("OPTIONS", "/k", headers=asked).header("access-control-allow-origin") == "https://app.example"
    assert node.request("OPTIONS", "/k", headers=dict(asked, Host=DOMAIN)).status == 403


def test_anonymous_requests_may_use_these_names_and_no_others(node):
    assert call(node, "PUT", "/", f"open.{DOMAIN}", x_amz_acl="public-read").status == 200
    assert call(node, "PUT", "/k", f"open.{DOMAIN}", b"hello", x_amz_acl="public-read").status == 200
    assert node.request("GET", "/k", headers={"Host": f"open.{DOMAIN}"}).body == b"hello"
    assert node.request("GET", "/open/k", headers={"Host": DOMAIN}).body == b"hello"
    for host in ("open.s3.example.org", f"open.{DOMAIN}.evil.example", f"evil{DOMAIN}"):
        assert node.request("GET", "/k", headers={"Host": host}).status == 403, host
        assert node.request("GET", "/open/k", headers={"Host": host}).status == 403, host


@curl
def test_curl_and_boto3_use_it(node, tmp_path):
    boto3 = pytest.importorskip("boto3")
    from botocore.config import Config
    client = boto3.client("s3", endpoint_url=f"http://{DOMAIN}:{node.http_port}", region_name="us-east-1", aws_access_key_id=ACCESS,
                          aws_secret_access_key=SECRET, config=Config(signature_version="s3v4", s3={"addressing_style": "virtual"}))
    host = f"files.{DOMAIN}:{node.http_port}"
    resolve = ["curl", "-sS", "--resolve", f"{host}:127.0.0.1"]
    (tmp_path / "sent").write_bytes(b"by curl")
    put = client.generate_presigned_url("put_object", {"Bucket": "files", "Key": "by/curl"})
    assert put.startswith(f"http://{host}/by/curl?")
    subprocess.run([*resolve, "-f", "-T", tmp_path / "sent", put], check=True, timeout=30)
    get = client.generate_presigned_url("get_object", {"Bucket": "files", "Key": "by/curl"})
    assert subprocess.run([*resolve, get], capture_output=True, check=True, timeout=30).stdout == b"by curl"
    form = client.generate_presigned_post("files", "form/${filename}")
    assert form["url"] == f"http://{host}/"
    fields = [f for name, value in form["fields"].items() for f in ("--form-string", f"{name}={value}")]
    answer = subprocess.run([*resolve, "-i", *fields, "-F", f"file=@{tmp_path / 'sent'}", form["url"]], capture_output=True, text=True,
                            check=True, timeout=30).stdout
    assert " 204 " in answer and f"http://{host}/form/sent" in answer
    listed = subprocess.run([*resolve, client.generate_presigned_url("list_objects_v2", {"Bucket": "files"})], capture_output=True,
                            check=True, timeout=30).stdout
    assert b"<Key>form/sent</Key>" in listed
