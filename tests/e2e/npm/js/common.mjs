// What both programs use: where the node is, bytes to store, and a check that says what was wrong.
import assert from "node:assert/strict";
import crypto from "node:crypto";

export const { S3_ENDPOINT: endpoint, S3_ACCESS_KEY: accessKey, S3_SECRET_KEY: secretKey, S3_BUCKET: bucket } = process.env;
export const MIB = 1 << 20;
export const large = crypto.randomBytes(100 * MIB);
export const sha256 = (bytes) => crypto.createHash("sha256").update(bytes).digest("hex");

export async function gather(stream) {
  const pieces = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
}

export function sameBytes(got, wanted, what) {
  assert.equal(got.length, wanted.length, `${what}: length`);
  assert.equal(sha256(got), sha256(wanted), `${what}: bytes`);
}

// 200 files in folders, some with names that are hard to encode.
export function tree(prefix) {
  const odd = ["a b", "ü+ö", "100%", "q?x=1&y", "semi;colon", "dots..", "(brackets)", "star*'!", "日本語", "tilde~"];
  return Array.from({ length: 200 }, (_, i) => ({
    key: `${prefix}/${i % 10}/${odd[i % odd.length]}/file ${i}`,
    bytes: crypto.randomBytes(1 + ((i * 7919) % 20000)),
  }));
}

// At most `width` at a time.
export async function each(items, width, run) {
  const waiting = [...items];
  await Promise.all(Array.from({ length: width }, async () => {
    while (waiting.length > 0) await run(waiting.shift());
  }));
}

export async function presigned(getUrl, putUrl, bytes) {
  const put = await fetch(putUrl, { method: "PUT", body: bytes });
  assert.equal(put.status, 200, await put.text());
  const got = await fetch(getUrl);
  assert.equal(got.status, 200);
  sameBytes(Buffer.from(await got.arrayBuffer()), bytes, "presigned");
  const tampered = new URL(getUrl);
  tampered.searchParams.set("X-Amz-Expires", "86400");
  const refused = await fetch(tampered);
  assert.equal(refused.status, 403);
  await refused.arrayBuffer();
}
