// A storefront's receiver: it obeys the signed webhook, keeps the newest state on
// disk, and tells the checkout whether it may take money. Node 20.10 or newer.
//
//   WEBHOOK_SECRET=whsec_… STATE_FILE=checkout.json LISTEN=127.0.0.1:9000 node receiver.mjs
import { createHmac, timingSafeEqual } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';

const { WEBHOOK_SECRET = '', STATE_FILE, LISTEN = '127.0.0.1:9000' } = process.env;
const keys = WEBHOOK_SECRET.split(' ').filter(Boolean) // two while one replaces the other
  .map((secret) => Buffer.from(secret.replace(/^whsec_/, ''), 'base64'));
if (keys.length === 0 || keys.some((key) => key.length < 24)) throw new Error('WEBHOOK_SECRET is not a whsec_… secret');

// A broken state file ends the program: better no shop than one that forgot it is closed.
let state = existsSync(STATE_FILE) ? JSON.parse(readFileSync(STATE_FILE, 'utf8')) : { checkout: 'on', revision: 0 };

function authentic(headers, body) {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures } = headers;
  if (!id || !/^\d+$/.test(timestamp ?? '') || !signatures) return false;
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > 300) return false;
  const given = signatures.split(' ').map((signature) => Buffer.from(signature));
  return keys.some((key) => {
    const hmac = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64');
    const want = Buffer.from(`v1,${hmac}`);
    return given.some((signature) => signature.length === want.length && timingSafeEqual(signature, want));
  });
}

// Nothing in here waits, so no two webhooks can be in it at a time.
function obey(newer) {
  if (!(newer.revision > state.revision)) return;
  writeFileSync(`${STATE_FILE}.new`, JSON.stringify(newer), { flush: true });
  renameSync(`${STATE_FILE}.new`, STATE_FILE);
  state = newer;
}

async function rawBody(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > 65536) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function receive(request) {
  const body = await rawBody(request);
  if (body === null || !authentic(request.headers, body)) return 401;
  const { type, data } = JSON.parse(body.toString('utf8'));
  if (type === 'storefront.closed' || type === 'storefront.opened') obey(data); // a test is not obeyed
  return 204;
}

function checkout(response) {
  if (state.checkout !== 'off') return response.writeHead(200).end('open\n');
  const wait = state.until ? Math.max(60, Math.floor((Date.parse(state.until) - Date.now()) / 1000)) : 3600;
  response.writeHead(503, { 'Retry-After': wait, 'Content-Type': 'text/plain; charset=utf-8' });
  return response.end(`closed: ${state.message}\n`);
}

const [, host, port] = /^(.*):(\d+)$/.exec(LISTEN);
createServer(async (request, response) => {
  if (request.method === 'GET' && request.url === '/checkout') return checkout(response);
  if (request.method !== 'POST' || request.url !== '/hooks/closure') return response.writeHead(404).end();
  try {
    response.writeHead(await receive(request)).end();
  } catch (error) { // not stored, so not acknowledged: it will be sent again
    console.error(error);
    response.writeHead(500).end();
  }
}).listen(Number(port), host);
