// Requests to the admin API of the node that served this page.

const WAIT_MS = 15000;

export class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status; // 0: the node did not answer
  }
}

let whenSignedOut = () => {};
export function onSignedOut(handler) {
  whenSignedOut = handler;
}

async function ask(method, path, query, headers) {
  const given = Object.entries(query || {}).filter(([, value]) => value !== '' && value !== undefined);
  const url = path + (given.length ? '?' + new URLSearchParams(given) : '');
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), WAIT_MS);
  let response, body;
  try {
    response = await fetch(url, { method, headers, credentials: 'same-origin', cache: 'no-store', redirect: 'error', signal: limit.signal });
    body = await response.json();
  } catch (failure) {
    if (!response) throw new Refusal(0, 'The node does not answer.');
    body = {};
  } finally {
    clearTimeout(timer);
  }
  if (response.ok) return body;
  throw new Refusal(response.status, body.message || `The node answered ${response.status}.`);
}

export async function read(path, query) {
  try {
    return await ask('GET', path, query);
  } catch (refusal) {
    noteStatus(refusal.status);
    throw refusal;
  }
}

// Read again for each change: another tab may have begun another session.
export async function changeHeaders() {
  const { csrf } = await read('/v1/session');
  return { 'Cairn-CSRF': csrf };
}

export async function change(method, path, query) {
  return ask(method, path, query, await changeHeaders());
}

// Of an answer that came another way.
export function noteStatus(status) {
  if (status === 401) whenSignedOut();
}

export function currentSession() {
  return ask('GET', '/v1/session');
}

function utf8Base64(text) {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

export function signIn(key, secret) {
  return ask('POST', '/v1/session', {}, { Authorization: 'Basic ' + utf8Base64(key + ':' + secret) });
}

export function signInWithToken(token) {
  return ask('POST', '/v1/session', {}, { 'Cairn-Token': token });
}

export function signOut() {
  return change('DELETE', '/v1/session');
}

// A name as one segment of a path.
export const segment = encodeURIComponent;
