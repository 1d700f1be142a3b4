// Requests about objects. The node signs them with the session's access key and passes them to S3.

import { Refusal, changeHeaders, noteStatus, segment } from './api.js';

export const PAGE_KEYS = 100;
const DELETED_AT_ONCE = 1000;

export function address(bucket, query) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
  return `/v1/s3/${segment(bucket)}?${new URLSearchParams(given)}`;
}

// The value of the first element of this name; empty: there is none.
export function textOf(element, name) {
  for (const child of element.children) if (child.localName === name) return child.textContent;
  return '';
}

function all(element, name) {
  return [...element.children].filter((child) => child.localName === name);
}

// Null: it is none. Chromium's page about a malformed one has an inline style, of which the console's policy complains.
function documentOf(text) {
  if (!text.startsWith('<')) return null;
  const read = new DOMParser().parseFromString(text, 'application/xml');
  return read.getElementsByTagName('parsererror').length ? null : read.documentElement;
}

// What is wrong, from S3's document or the admin port's.
export function refusalOf(status, text) {
  let message = '';
  if (text.startsWith('{')) {
    try {
      message = JSON.parse(text).message;
    } catch (malformed) {}
  } else {
    const root = documentOf(text);
    if (root) message = textOf(root, 'Message');
  }
  if (!message && status === 403) message = 'This access key may not do this.';
  if (!message && status === 404) message = 'There is no such object.';
  return new Refusal(status, message || `The node answered ${status}.`);
}

export async function ask(method, path, options = {}) {
  const headers = { ...options.headers, ...(method !== 'GET' && method !== 'HEAD' ? await changeHeaders() : {}) };
  let response;
  try {
    response = await fetch(path, { method, headers, body: options.body, credentials: 'same-origin', cache: 'no-store', redirect: 'error' });
  } catch (failure) {
    throw new Refusal(0, 'The node does not answer.');
  }
  noteStatus(response.status);
  if (response.ok) return response;
  const refusal = refusalOf(response.status, await response.text().catch(() => ''));
  refusal.headers = response.headers;
  throw refusal;
}

export async function askDocument(method, path, options) {
  const root = documentOf(await (await ask(method, path, options)).text());
  if (!root) throw new Refusal(0, 'The answer cannot be read.');
  return root;
}

// ---- lists. Names come percent-encoded: XML does not have all characters. ----

const decoded = (element, name) => decodeURIComponent(textOf(element, name));
const foldersOf = (root) => all(root, 'CommonPrefixes').map((p) => decoded(p, 'Prefix'));

export function listAddress(bucket, prefix, after, { delimiter = '/', max = PAGE_KEYS } = {}) {
  const query = { 'list-type': 2, delimiter, 'encoding-type': 'url', 'max-keys': max, prefix };
  return address(bucket, { ...query, ...(after && { 'continuation-token': after }) });
}

// `after`: `next` of the page before. A `key` of one object lists its versions alone.
export function versionsAddress(bucket, prefix, after, delimiter) {
  const [key, id] = after ? JSON.parse(after) : [];
  const query = { versions: '', 'encoding-type': 'url', 'max-keys': PAGE_KEYS, prefix, ...(delimiter && { delimiter }) };
  return address(bucket, { ...query, 'key-marker': key, 'version-id-marker': id || undefined });
}

// { folders, objects, next }: objects with `version` and `deleted` when versions were asked for.
export async function list(path) {
  const root = await askDocument('GET', path);
  const ofVersions = root.localName === 'ListVersionsResult';
  const objects = [...root.children]
    .filter((e) => ['Contents', 'Version', 'DeleteMarker'].includes(e.localName))
    .map((e) => ({
      key: decoded(e, 'Key'),
      size: Number(textOf(e, 'Size')),
      modified: Date.parse(textOf(e, 'LastModified')),
      version: textOf(e, 'VersionId'),
      latest: !ofVersions || textOf(e, 'IsLatest') === 'true',
      deleted: e.localName === 'DeleteMarker',
    }));
  let next = textOf(root, 'NextContinuationToken');
  if (ofVersions && textOf(root, 'IsTruncated') === 'true')
    next = JSON.stringify([decoded(root, 'NextKeyMarker'), textOf(root, 'NextVersionIdMarker')]);
  return { folders: foldersOf(root), objects, next };
}

// ---- one object ----

// A value that is not ASCII comes as encoded words (RFC 2047).
export function metadataText(value) {
  const bytesOf = (kind, text) =>
    kind.toUpperCase() === 'B'
      ? Uint8Array.from(atob(text), (c) => c.charCodeAt(0))
      : Uint8Array.from(text.replace(/_/g, ' ').replace(/=([0-9A-F]{2})/gi, (m, hex) => String.fromCharCode(parseInt(hex, 16))), (c) => c.charCodeAt(0));
  try {
    return value
      .replace(/\?=\s+=\?/g, '?==?')
      .replace(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (m, kind, text) => new TextDecoder().decode(bytesOf(kind, text)));
  } catch (malformed) {
    return value;
  }
}

export async function head(bucket, key) {
  const { headers } = await ask('HEAD', address(bucket, { key }));
  const metadata = [...headers].filter(([name]) => name.startsWith('x-amz-meta-'));
  return {
    size: Number(headers.get('Content-Length')),
    type: headers.get('Content-Type') || '',
    modified: Date.parse(headers.get('Last-Modified')),
    etag: (headers.get('ETag') || '').replace(/"/g, ''),
    version: headers.get('x-amz-version-id'),
    headers: ['cache-control', 'content-disposition', 'content-encoding', 'content-language', 'expires']
      .map((name) => [name, headers.get(name)])
      .filter(([, value]) => value),
    metadata: metadata.map(([name, value]) => [name.slice('x-amz-meta-'.length), metadataText(value)]),
  };
}

export async function tags(bucket, key) {
  const root = await askDocument('GET', address(bucket, { key, tagging: '' }));
  return all(root, 'TagSet').flatMap((set) => all(set, 'Tag').map((tag) => [textOf(tag, 'Key'), textOf(tag, 'Value')]));
}

// As a text of XML; controls as references, because a parser changes them.
function escaped(text) {
  return text.replace(/[&<>"'\u0000-\u001f\u007f-\u009f\u2028]/g, (c) => `&#x${c.charCodeAt(0).toString(16)};`);
}

export function putTags(bucket, key, given) {
  const set = given.map(([name, value]) => `<Tag><Key>${escaped(name)}</Key><Value>${escaped(value)}</Value></Tag>`).join('');
  return ask('PUT', address(bucket, { key, tagging: '' }), {
    headers: { 'Content-Type': 'application/xml' },
    body: `<Tagging><TagSet>${set}</TagSet></Tagging>`,
  });
}

export function remove(bucket, key, versionId) {
  return ask('DELETE', address(bucket, { key, versionId }));
}

// Makes an earlier version the current one again, by a copy of it.
export function copyOver(bucket, key, versionId) {
  const source = `/${segment(bucket)}/${segment(key)}?versionId=${segment(versionId)}`;
  return ask('PUT', address(bucket, { key }), { headers: { 'x-amz-copy-source': source } });
}

export async function firstBytes(bucket, key, versionId, bytes) {
  const answer = await ask('GET', address(bucket, { key, versionId }), { headers: { Range: `bytes=0-${bytes - 1}` } });
  return new Uint8Array(await answer.arrayBuffer());
}

// ---- several objects ----

// CRC-32 as in zlib, base64 of its four bytes.
function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; ++bit) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  crc = ~crc;
  return btoa(String.fromCharCode(crc >>> 24, (crc >>> 16) & 255, (crc >>> 8) & 255, crc & 255));
}

async function removeSome(bucket, keys) {
  const objects = keys.map((key) => `<Object><Key>${escaped(key)}</Key></Object>`).join('');
  const body = new TextEncoder().encode(`<Delete><Quiet>true</Quiet>${objects}</Delete>`);
  const root = await askDocument('POST', address(bucket, { delete: '' }), {
    headers: { 'Content-Type': 'application/xml', 'x-amz-checksum-crc32': crc32(body) },
    body,
  });
  const failed = all(root, 'Error');
  if (failed.length) throw new Refusal(403, `${failed.length} of ${keys.length} were not deleted: ${textOf(failed[0], 'Message')}`);
}

// Deletes objects, and everything below folders. `onCount(deleted so far)`.
export async function removeAll(bucket, keys, folders, onCount) {
  let count = 0;
  const some = async (chosen) => {
    await removeSome(bucket, chosen);
    onCount((count += chosen.length));
  };
  for (let i = 0; i < keys.length; i += DELETED_AT_ONCE) await some(keys.slice(i, i + DELETED_AT_ONCE));
  for (const prefix of folders) {
    let next = '';
    do {
      const page = await list(listAddress(bucket, prefix, next, { delimiter: null, max: DELETED_AT_ONCE }));
      if (page.objects.length) await some(page.objects.map((o) => o.key));
      next = page.next;
    } while (next);
  }
  return count;
}

export function makeFolder(bucket, key) {
  return ask('PUT', address(bucket, { key }), { headers: { 'If-None-Match': '*' }, body: '' });
}
