import { h, Component } from 'preact';
import { Refusal, changeHeaders, noteStatus } from './api.js';
import { address, ask, askDocument, refusalOf, textOf } from './s3.js';
import { Name, bytes, percent } from './widgets.jsx';

const WHOLE_BYTES = 16 << 20; // larger files are sent in parts, which are sent again when they fail
const PARTS_MAX = 10000;
const AT_ONCE = 2;
const TRIES = 4;
const STATES = { waiting: 'Waits', sending: 'Sending', done: 'Done', exists: 'There is an object of this name already.', cancelled: 'Cancelled' };

export const UPLOADED = 'cairn-uploaded'; // an event of the window

// Uploads of this tab. They go on while other pages are shown.
let uploads = [];
let number = 0;
let changed = () => {};

const active = (upload) => upload.state === 'waiting' || upload.state === 'sending';
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

window.addEventListener('beforeunload', (event) => {
  if (uploads.some(active)) event.preventDefault();
});

function set(upload, state) {
  Object.assign(upload, state);
  changed();
}

// XMLHttpRequest, because fetch tells nothing of what was sent.
async function send(upload, path, body, headers, before) {
  const all = { ...headers, ...(await changeHeaders()) };
  if (!active(upload)) throw new Refusal(0, STATES.cancelled);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    upload.request = request;
    request.open('PUT', path);
    for (const [name, value] of Object.entries(all)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => set(upload, { sent: before + event.loaded });
    request.onload = () => {
      noteStatus(request.status);
      if (request.status >= 200 && request.status < 300) resolve(request.getResponseHeader('ETag'));
      else reject(refusalOf(request.status, request.responseText));
    };
    request.onerror = request.ontimeout = () => reject(new Refusal(0, 'The node does not answer.'));
    request.onabort = () => reject(new Refusal(0, STATES.cancelled));
    request.send(body);
  });
}

async function retried(upload, attempt) {
  for (let tried = 1; ; ++tried) {
    try {
      return await attempt();
    } catch (refusal) {
      const passing = refusal.status === 0 || refusal.status === 408 || refusal.status >= 500;
      if (!passing || tried === TRIES || !active(upload)) throw refusal;
      await pause(1000 * tried);
    }
  }
}

async function sendParts(upload, condition) {
  const { bucket, key, file } = upload;
  const type = file.type || 'application/octet-stream';
  if (condition['If-None-Match']) {
    const found = await ask('HEAD', address(bucket, { key })).then(() => true, () => false); // saves sending it in vain
    if (found) throw new Refusal(412, STATES.exists);
  }
  const begun = await askDocument('POST', address(bucket, { key, uploads: '' }), { headers: { 'Content-Type': type } });
  const uploadId = textOf(begun, 'UploadId');
  try {
    const size = Math.max(WHOLE_BYTES, Math.ceil(file.size / PARTS_MAX / (1 << 20)) * (1 << 20));
    let parts = '';
    for (let begin = 0, partNumber = 1; begin < file.size; begin += size, ++partNumber) {
      const part = file.slice(begin, begin + size);
      const etag = await retried(upload, () => send(upload, address(bucket, { key, partNumber, uploadId }), part, {}, begin));
      parts += `<Part><PartNumber>${partNumber}</PartNumber><ETag>${etag}</ETag></Part>`;
    }
    const completed = await ask('POST', address(bucket, { key, uploadId }), {
      headers: { 'Content-Type': 'application/xml', ...condition },
      body: `<CompleteMultipartUpload>${parts}</CompleteMultipartUpload>`,
    });
    const answer = await completed.text(); // its head may be sent before the outcome is known
    if (/<Error[ >]/.test(answer)) throw refusalOf(500, answer);
  } catch (refusal) {
    ask('DELETE', address(bucket, { key, uploadId })).catch(() => {});
    throw refusal;
  }
}

async function run(upload) {
  set(upload, { state: 'sending', sent: 0, problem: '' });
  const { bucket, key, file } = upload;
  const condition = upload.replaces ? {} : { 'If-None-Match': '*' };
  try {
    if (file.size > WHOLE_BYTES) {
      await sendParts(upload, condition);
    } else {
      const headers = { 'Content-Type': file.type || 'application/octet-stream', ...condition };
      await send(upload, address(bucket, { key }), file, headers, 0);
    }
    set(upload, { state: 'done', sent: file.size });
    window.dispatchEvent(new Event(UPLOADED));
  } catch (refusal) {
    if (active(upload)) set(upload, refusal.status === 412 ? { state: 'exists' } : { state: 'failed', problem: refusal.message });
  }
  next();
}

function next() {
  const running = uploads.filter((u) => u.state === 'sending').length;
  uploads
    .filter((u) => u.state === 'waiting')
    .slice(0, AT_ONCE - running)
    .forEach(run);
}

// `files`: [{ file, path }]; `path`: the name below the prefix.
export function addUploads(bucket, prefix, files) {
  uploads = [
    ...uploads,
    ...files.map(({ file, path }) => ({ number: ++number, bucket, key: prefix + path, file, state: 'waiting', sent: 0, problem: '' })),
  ];
  changed();
  next();
}

function again(upload, replaces) {
  set(upload, { state: 'waiting', replaces });
  next();
}

function cancel(upload) {
  set(upload, { state: 'cancelled' });
  if (upload.request) upload.request.abort();
  next();
}

// At the end of the session: who signs in next must not see them.
export function endUploads() {
  uploads.filter(active).forEach(cancel);
  uploads = [];
  changed();
}

// The files of a drop, with those in folders.
export async function droppedFiles(transfer) {
  const found = [];
  const walk = async (entry, path) => {
    if (entry instanceof File) return found.push({ file: entry, path: path + entry.name });
    if (entry.isFile) {
      const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
      found.push({ file, path: path + entry.name });
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)); // 100 at a time
      if (some.length === 0) return;
      for (const one of some) await walk(one, path + entry.name + '/');
    }
  };
  // All at once: the items are gone after the event.
  const entries = [...transfer.items].filter((i) => i.kind === 'file').map((i) => i.webkitGetAsEntry() || i.getAsFile());
  for (const entry of entries) if (entry) await walk(entry, '');
  return found;
}

export class Uploads extends Component {
  componentDidMount() {
    changed = () => this.setState({});
  }

  componentWillUnmount() {
    changed = () => {};
  }

  clear() {
    uploads = uploads.filter(active);
    changed();
  }

  row(u) {
    return (
      <li key={u.number}>
        <span>
          <Name of={u.key} /> <span class="quiet">in {u.bucket}</span>
        </span>
        <progress max="100" value={u.file.size ? percent(u.sent, u.file.size) : u.state === 'done' ? 100 : 0} aria-label={`Progress of ${u.key}`} />
        <small class={u.problem ? 'problem' : 'quiet'}>
          {u.problem || (u.state === 'sending' ? `${bytes(u.sent)} of ${bytes(u.file.size)}` : STATES[u.state])}
        </small>
        <span class="actions">
          {active(u) && (
            <button class="small" aria-label={`Cancel ${u.key}`} onClick={() => cancel(u)}>
              Cancel
            </button>
          )}
          {u.state === 'exists' && (
            <button class="small" aria-label={`Replace ${u.key}`} onClick={() => again(u, true)}>
              Replace it
            </button>
          )}
          {u.state === 'failed' && (
            <button class="small" aria-label={`Send ${u.key} again`} onClick={() => again(u, u.replaces)}>
              Send again
            </button>
          )}
        </span>
      </li>
    );
  }

  render() {
    if (uploads.length === 0) return null;
    const done = uploads.filter((u) => u.state === 'done').length;
    return (
      <section class="card uploads" aria-label="Uploads">
        <p class="toolbar">
          <strong role="status">
            {done} of {uploads.length} uploaded
          </strong>
          <button class="small" onClick={() => this.clear()}>
            Clear the list
          </button>
        </p>
        <ul>{uploads.slice(-200).map((u) => this.row(u))}</ul>
      </section>
    );
  }
}
