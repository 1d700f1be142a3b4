// The AWS SDK for JavaScript v3 with its defaults: a CRC32 with every upload, checked with every download.
import {
  CopyObjectCommand, CreateBucketCommand, DeleteBucketCommand, DeleteObjectCommand, DeleteObjectsCommand, GetObjectCommand,
  HeadObjectCommand, ListObjectVersionsCommand, ListObjectsV2Command, PutBucketVersioningCommand, PutObjectCommand,
  RenameObjectCommand, S3Client, paginateListObjectsV2,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { MIB, accessKey, bucket, each, endpoint, gather, large, presigned, sameBytes, secretKey, tree } from "./common.mjs";

const s3 = new S3Client({
  endpoint, region: "us-east-1", forcePathStyle: true, credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
});
const send = (Command, input) => s3.send(new Command({ Bucket: bucket, ...input }));
const read = async (Key, more = {}) => gather((await send(GetObjectCommand, { Key, ...more })).Body);

async function multipart() {
  const done = await new Upload({
    client: s3, partSize: 8 * MIB, queueSize: 4, params: { Bucket: bucket, Key: "large", Body: Readable.from(slices(large)), Metadata: { kind: "large" } },
  }).done();
  assert.match(done.ETag, /-13"$/);
  const head = await send(HeadObjectCommand, { Key: "large" });
  assert.equal(head.ContentLength, large.length);
  assert.equal(head.Metadata.kind, "large");
  sameBytes(await read("large"), large, "large");
  sameBytes(await read("large", { Range: "bytes=50000000-50999999" }), large.subarray(50000000, 51000000), "range");
  await send(CopyObjectCommand, { Key: "copy of large", CopySource: `/${bucket}/large` });
  sameBytes(await read("copy of large"), large, "copy");
}

// What the SDK moves into the query of a presigned URL.
async function signedHeaders() {
  const body = Buffer.from("signed before it was there");
  const wanted = { Bucket: bucket, Key: "signed headers", Metadata: { kind: "signed" }, Tagging: "a=b" };
  const url = async (more) => getSignedUrl(s3, new PutObjectCommand({ ...wanted, ...more }), { expiresIn: 600 });
  const put = async (to, bytes) => (await fetch(to, { method: "PUT", body: bytes })).status;
  assert.equal(await put(await url({}), body), 200);
  const head = await send(HeadObjectCommand, { Key: wanted.Key });
  assert.equal(head.Metadata.kind, "signed");
  const ChecksumSHA256 = createHash("sha256").update(body).digest("base64");
  assert.equal(await put(await url({ ChecksumSHA256 }), "other bytes"), 400);
  assert.equal(await put(await url({ ChecksumSHA256 }), body), 200);
  assert.equal((await send(HeadObjectCommand, { Key: wanted.Key, ChecksumMode: "ENABLED" })).ChecksumSHA256, ChecksumSHA256);
  const copy = await getSignedUrl(s3, new CopyObjectCommand({ Bucket: bucket, Key: "signed copy", CopySource: `/${bucket}/signed headers` }));
  assert.equal(await put(copy), 200);
  sameBytes(await read("signed copy"), body, "signed copy");
}

function* slices(bytes) {
  for (let at = 0; at < bytes.length; at += 3_000_000) yield bytes.subarray(at, at + 3_000_000);
}

async function small() {
  const body = Buffer.from("twelve bytes");
  const put = await send(PutObjectCommand, { Key: "small", Body: body, ContentType: "text/plain" });
  assert.ok(put.ChecksumCRC32, "the SDK's checksum is answered");
  const got = await send(GetObjectCommand, { Key: "small" });
  assert.equal(got.ChecksumCRC32, put.ChecksumCRC32);
  sameBytes(await gather(got.Body), body, "small");
  await send(PutObjectCommand, { Key: "stream", Body: Readable.from(slices(large.subarray(0, 5 * MIB))), ContentLength: 5 * MIB });
  sameBytes(await read("stream"), large.subarray(0, 5 * MIB), "a stream, with its checksum behind it");
  await assert.rejects(send(GetObjectCommand, { Key: "not there" }), { name: "NoSuchKey" });
  await assert.rejects(send(PutObjectCommand, { Key: "small", Body: "x", IfNoneMatch: "*" }), { name: "PreconditionFailed" });
}

async function files() {
  const all = tree("tree");
  await each(all, 8, ({ key, bytes }) => send(PutObjectCommand, { Key: key, Body: bytes }));
  const listed = [];
  for await (const page of paginateListObjectsV2({ client: s3, pageSize: 33 }, { Bucket: bucket, Prefix: "tree/" }))
    listed.push(...page.Contents.map((o) => o.Key));
  assert.deepEqual([...listed].sort(), all.map((f) => f.key).sort());
  const folders = await send(ListObjectsV2Command, { Prefix: "tree/", Delimiter: "/" });
  assert.equal(folders.CommonPrefixes.length, 10);
  await each(all, 8, async ({ key, bytes }) => sameBytes(await read(key), bytes, key));
  await each(all.slice(0, 10), 4, async ({ key, bytes }) => {
    await send(CopyObjectCommand, { Key: `copies/${key}`, CopySource: encodeURI(`${bucket}/`) + encodeURIComponent(key) });
    sameBytes(await read(`copies/${key}`), bytes, "copy of " + key);
  });
  const gone = await send(DeleteObjectsCommand, { Delete: { Objects: all.map(({ key }) => ({ Key: key })) } });
  assert.equal(gone.Deleted.length, all.length);
  assert.equal((await send(ListObjectsV2Command, { Prefix: "tree/" })).KeyCount, 0);
}

// With a token that the SDK makes for each command, and sends again when it repeats the request.
async function renames() {
  const [from, to] = ["old name ü+", "folder/new name"];
  await send(PutObjectCommand, { Key: from, Body: "renamed", Metadata: { kind: "renamed" }, ContentType: "text/plain" });
  const before = await send(HeadObjectCommand, { Key: from });
  await send(RenameObjectCommand, { Key: to, RenameSource: encodeURIComponent(from), SourceIfMatch: before.ETag, DestinationIfNoneMatch: "*" });
  const after = await send(HeadObjectCommand, { Key: to });
  assert.deepEqual([after.ETag, after.Metadata.kind, after.ContentType], [before.ETag, "renamed", "text/plain"]);
  assert.deepEqual(after.LastModified, before.LastModified);
  await assert.rejects(send(HeadObjectCommand, { Key: from }), { name: "NotFound" });
  await assert.rejects(send(RenameObjectCommand, { Key: "x", RenameSource: encodeURIComponent(from) }), { name: "NoSuchKey" });
  await assert.rejects(send(RenameObjectCommand, { Key: "small", RenameSource: encodeURIComponent(to), DestinationIfNoneMatch: "*" }),
                       { name: "PreconditionFailed" });
  const ClientToken = "the same request";
  for (let tries = 0; tries < 2; ++tries) await send(RenameObjectCommand, { Key: "again", RenameSource: encodeURIComponent(to), ClientToken });
  assert.equal((await read("again")).toString(), "renamed");
}

async function versions() {
  const Bucket = bucket + "-versions";
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
  const first = await s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: "one" }));
  await s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: "two" }));
  await s3.send(new DeleteObjectCommand({ Bucket, Key: "k" }));
  const old = await s3.send(new GetObjectCommand({ Bucket, Key: "k", VersionId: first.VersionId }));
  assert.equal(await old.Body.transformToString(), "one");
  const page = await s3.send(new ListObjectVersionsCommand({ Bucket }));
  assert.deepEqual([page.Versions.length, page.DeleteMarkers.length], [2, 1]);
  for (const { Key, VersionId } of [...page.Versions, ...page.DeleteMarkers])
    await s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
  await s3.send(new DeleteBucketCommand({ Bucket }));
}

await send(CreateBucketCommand, {});
await small();
await multipart();
await files();
await renames();
await versions();
const names = { Bucket: bucket, Key: "presigned ü+" };
await presigned(await getSignedUrl(s3, new GetObjectCommand(names), { expiresIn: 600 }),
                await getSignedUrl(s3, new PutObjectCommand(names), { expiresIn: 600 }), large.subarray(0, MIB));
await signedHeaders();
for (const { Key } of (await send(ListObjectsV2Command, {})).Contents) await send(DeleteObjectCommand, { Key });
await send(DeleteBucketCommand, {});
console.log("ok");
