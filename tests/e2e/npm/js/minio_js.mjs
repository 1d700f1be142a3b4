// MinIO's client for JavaScript.
import * as minio from "minio";
import assert from "node:assert/strict";
import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { PassThrough, Readable } from "node:stream";
import { MIB, accessKey, bucket, each, endpoint, gather, large, presigned, sameBytes, secretKey, tree } from "./common.mjs";

const at = new URL(endpoint);
const s3 = new minio.Client({ endPoint: at.hostname, port: Number(at.port), useSSL: false, accessKey, secretKey, partSize: 8 * MIB });
const read = async (key) => gather(await s3.getObject(bucket, key));
const list = async (prefix, recursive) => {
  const found = [];
  for await (const entry of s3.listObjectsV2(bucket, prefix, recursive)) found.push(entry);
  return found;
};

async function multipart() {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), "cairn-minio-"));
  const from = path.join(folder, "from"), to = path.join(folder, "to");
  try {
    await fs.writeFile(from, large);
    const headers = { "Content-Type": "application/x-large", "X-Amz-Meta-Kind": "large" };
    await s3.fPutObject(bucket, "file", from, headers);
    await s3.fGetObject(bucket, "file", to);
    sameBytes(await fs.readFile(to), large, "file");
    await s3.putObject(bucket, "large", begun(large), large.length, headers);
    const stat = await s3.statObject(bucket, "large");
    assert.equal(stat.size, large.length);
    assert.match(stat.etag, /-\d+$/);
    assert.equal(stat.metaData["content-type"], "application/x-large");
    assert.equal(stat.metaData.kind, "large");
    sameBytes(await read("large"), large, "large");
  } finally {
    await fs.rm(folder, { recursive: true });
  }
  const part = await gather(await s3.getPartialObject(bucket, "large", 50000000, 1000000));
  sameBytes(part, large.subarray(50000000, 51000000), "range");
  await s3.copyObject(bucket, "copy of large", `/${bucket}/large`);
  sameBytes(await read("copy of large"), large, "copy");
}

// A stream that holds bytes already: all others are gathered by the client and sent in one piece.
function begun(bytes) {
  const stream = new PassThrough();
  stream.write(bytes.subarray(0, MIB));
  Readable.from([bytes.subarray(MIB, 60 * MIB), bytes.subarray(60 * MIB)]).pipe(stream);
  return stream;
}

async function files() {
  const all = tree("tree");
  await each(all, 8, ({ key, bytes }) => s3.putObject(bucket, key, bytes));
  assert.deepEqual((await list("tree/", true)).map((o) => o.name).sort(), all.map((f) => f.key).sort());
  assert.equal((await list("tree/", false)).length, 10);
  await each(all, 8, async ({ key, bytes }) => sameBytes(await read(key), bytes, key));
  await s3.removeObjects(bucket, all.map((f) => f.key));
  assert.deepEqual(await list("tree/", true), []);
}

await s3.makeBucket(bucket);
assert.ok(await s3.bucketExists(bucket));
assert.ok((await s3.listBuckets()).some((b) => b.name === bucket));
await multipart();
await files();
await s3.setObjectTagging(bucket, "large", { color: "blue" });
assert.deepEqual((await s3.getObjectTagging(bucket, "large")).flat(), [{ Key: "color", Value: "blue" }]);
await presigned(await s3.presignedGetObject(bucket, "presigned ü+", 600), await s3.presignedPutObject(bucket, "presigned ü+", 600),
                large.subarray(0, MIB));
await assert.rejects(s3.statObject(bucket, "not there"), { code: "NotFound" });
for (const { name } of await list("", true)) await s3.removeObject(bucket, name);
await s3.removeBucket(bucket);
console.log("ok");
