"""What the tests of `cairn import s3` share."""
import re
import subprocess
import urllib.parse

from cairn_node import BINARY
from signing import ROOT

SIGNED = {"AWS_ACCESS_KEY_ID": ROOT[0], "AWS_SECRET_ACCESS_KEY": ROOT[1],
          "CAIRN_FROM_ACCESS_KEY_ID": ROOT[0], "CAIRN_FROM_SECRET_ACCESS_KEY": ROOT[1]}
VERSIONING = "<VersioningConfiguration><Status>{}</Status></VersioningConfiguration>"


def run(target, source, *arguments, status=0, **options):
    url = source if isinstance(source, str) else source.url()
    done = target.cairn("import", "s3", "--from", url, *arguments, timeout=300, **options)
    assert done.returncode == status, done.stdout.decode() + done.stderr.decode()
    return done.stdout.decode() + done.stderr.decode()


def versioning(node, bucket, state):
    assert node.request("PUT", f"/{bucket}?versioning", VERSIONING.format(state)).status == 200


def history(node, bucket):
    """Of each key, the newest first: ETag and size, or None for a delete marker; with the version's id."""
    found, marker = {}, ""
    while True:
        text = node.get(f"/{bucket}?versions&encoding-type=url&max-keys=1000{marker}").body.decode()
        for kind, body in re.findall(r"<(Version|DeleteMarker)>(.*?)</\1>", text, re.S):
            key, version = (re.search(f"<{name}>(.*?)</{name}>", body).group(1) for name in ("Key", "VersionId"))
            one = None if kind == "DeleteMarker" else tuple(re.search(f"<{n}>(.*?)</{n}>", body).group(1) for n in ("ETag", "Size"))
            found.setdefault(urllib.parse.unquote_plus(key), []).append((version, one))
        more = re.search(r"<NextKeyMarker>(.*?)</NextKeyMarker>(?:<NextVersionIdMarker>(.*?)</NextVersionIdMarker>)?", text)
        if not more:
            return found
        marker = f"&key-marker={more.group(1)}" + (f"&version-id-marker={more.group(2)}" if more.group(2) else "")


def contents(node, bucket):
    return {key: [one for _, one in versions] for key, versions in history(node, bucket).items()}


def kept_headers(answer):
    kept = ("content-type", "cache-control", "content-disposition", "content-encoding", "content-language", "expires", "etag")
    return {n: v for n, v in answer.headers.items() if n in kept or n.startswith("x-amz-meta-") or n.startswith("x-amz-checksum")}


def same_versions(source, target, bucket, other=None):
    a, b = history(source, bucket), history(target, other or bucket)
    assert {k: [x for _, x in v] for k, v in a.items()} == {k: [x for _, x in v] for k, v in b.items()}
    for key, versions in a.items():
        path = urllib.parse.quote(key)
        for (mine, one), (theirs, _) in zip(versions, b[key]):
            if one is None:
                continue
            x = source.get(f"/{bucket}/{path}?versionId={mine}", x_amz_checksum_mode="ENABLED")
            y = target.get(f"/{other or bucket}/{path}?versionId={theirs}", x_amz_checksum_mode="ENABLED")
            assert x.body == y.body and kept_headers(x) == kept_headers(y), (key, x, y)
            tags = [n.get(f"/{b_}/{path}?tagging&versionId={v}").body for n, b_, v in
                    ((source, bucket, mine), (target, other or bucket, theirs))]
            assert tags[0] == tags[1]


def put_in_parts(node, path, parts):
    made = node.request("POST", path + "?uploads", b"", {"x-amz-meta-kind": "in parts", "content-type": "video/mp4"})
    upload = re.search(rb"<UploadId>(.*?)<", made.body).group(1).decode()
    etags = [node.put(f"{path}?partNumber={i}&uploadId={upload}", body).header("etag") for i, body in enumerate(parts, 1)]
    listed = "".join(f"<Part><PartNumber>{i}</PartNumber><ETag>{e}</ETag></Part>" for i, e in enumerate(etags, 1))
    done = node.request("POST", f"{path}?uploadId={upload}", f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>")
    assert done.status == 200, done
    return node.head(path).header("etag")


ODD = ["a", "a-b", "a/b", "a.", "x/", "/lead", "a//b", "..", "ü ñ/日本 %2F+&?#.bin", "new\nline", "😀", "\ufffdx", "k=v&w", "~'()*!"]


def command(target, source, *arguments):
    url = source if isinstance(source, str) else source.url()
    return [BINARY, "import", "s3", "--from", url, *map(str, arguments)]


def spawn(target, source, *arguments, environment=None, stdout=subprocess.PIPE):
    return subprocess.Popen(command(target, source, *arguments), env=target.command_environment() | (environment or {}),
                            stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.STDOUT)
