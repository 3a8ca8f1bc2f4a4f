/**
 * A server that speaks the cache service's v2 protocol over loopback: three twirp methods in JSON, and blobs as Azure
 * stores them (single uploads, blocks and block lists). Who may read and write what is in the token, as on GitHub: its
 * claim `ac` lists scopes with permissions, 1 read and 2 write, and restoring looks through the scopes in that order.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Permission = 1 | 2 | 3;

export type Scope = { readonly Scope: string; readonly Permission: Permission };

/** What the server does wrong; change it between requests. */
export type Failures = {
  /** Answered by the twirp methods with this status. */
  status?: number;
  message?: string;
  /** Downloads: `cut` closes the connection half way; `damage` sends wrong bytes to the end. */
  download?: 'cut' | 'damage';
  /** Answered to uploads. */
  uploadStatus?: number;
};

export type CacheEntry = { readonly key: string; readonly version: string; readonly scope: string; content?: Buffer };

export type CacheService = {
  readonly url: string;
  readonly entries: CacheEntry[];
  readonly failures: Failures;
  /** Names of the twirp methods in the order in which they were called. */
  readonly calls: string[];
  close(): Promise<void>;
};

const PREFIX = '/twirp/github.actions.results.api.v1.CacheService/';
const READ = 1;
const WRITE = 2;

/** A token as the runner has one, unsigned. */
export function tokenOf(...scopes: readonly Scope[]): string {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${encode({ alg: 'none' })}.${encode({ ac: JSON.stringify(scopes), repository_id: '1' })}.`;
}

export async function startCacheService(): Promise<CacheService> {
  const entries: CacheEntry[] = [];
  const failures: Failures = {};
  const calls: string[] = [];
  const uploads = new Map<string, Upload>();
  const server = createServer((request, response) => {
    handle({ entries, failures, calls, uploads }, request, response).catch((error) => {
      response.writeHead(500).end(String(error));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, entries, failures, calls, close: () => close(server) };
}

type Upload = { readonly entry: CacheEntry; content?: Buffer; readonly blocks: Map<string, Buffer> };

type State = Pick<CacheService, 'entries' | 'failures' | 'calls'> & { readonly uploads: Map<string, Upload> };

async function handle(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', `http://${request.headers.host}`);
  const body = await readBody(request);
  const id = url.pathname.split('/').at(-1)!;
  if (url.pathname.startsWith(PREFIX)) {
    const { status, value } = answerTwirp(state, url, request, body);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  } else if (request.method === 'PUT') putBlob(state, id, url, body, response);
  else getBlob(state, id, response);
}

type Answer = { readonly status: number; readonly value: object };

function answerTwirp(state: State, url: URL, request: IncomingMessage, body: Buffer): Answer {
  const method = url.pathname.slice(PREFIX.length);
  state.calls.push(method);
  const { status, message = 'the service is down' } = state.failures;
  if (status !== undefined) return { status, value: { code: 'unavailable', msg: message } };
  const scopes = scopesOf(request);
  if (scopes === undefined) return { status: 401, value: { code: 'unauthenticated', msg: 'no token' } };
  const call = { ...JSON.parse(String(body)), origin: url.origin };
  switch (method) {
    case 'CreateCacheEntry':
      return createEntry(state, scopes, call);
    case 'FinalizeCacheEntryUpload':
      return finalizeEntry(state, scopes, call);
    case 'GetCacheEntryDownloadURL':
      return findEntry(state, scopes, call);
    default:
      return { status: 404, value: { code: 'bad_route', msg: method } };
  }
}

type Call = {
  readonly key: string;
  readonly version: string;
  readonly restore_keys?: readonly string[];
  readonly size_bytes?: string;
  readonly origin: string;
};

function createEntry(state: State, scopes: readonly Scope[], { key, version, origin }: Call): Answer {
  const scope = scopes.find(({ Permission }) => Permission & WRITE)?.Scope;
  if (scope === undefined) return refused('cache write denied: the token is read-only');
  if (state.entries.some((entry) => entry.key === key && entry.version === version && entry.scope === scope)) {
    const msg = 'cache entry with the same key, version, and scope already exists';
    return { status: 409, value: { code: 'already_exists', msg } };
  }
  const entry: CacheEntry = { key, version, scope };
  const id = randomUUID();
  state.entries.push(entry);
  state.uploads.set(id, { entry, blocks: new Map() });
  return granted({ signed_upload_url: `${origin}/devstoreaccount1/cache/${id}?sig=secret-up` });
}

function finalizeEntry(state: State, scopes: readonly Scope[], call: Call): Answer {
  const writable = scopes.filter(({ Permission }) => Permission & WRITE).map(({ Scope }) => Scope);
  const upload = [...state.uploads.values()].findLast(
    ({ entry }) => entry.key === call.key && entry.version === call.version && writable.includes(entry.scope),
  );
  if (upload?.content === undefined || upload.content.length !== Number(call.size_bytes)) {
    return refused('the upload is not complete');
  }
  upload.entry.content = upload.content;
  return granted({ entry_id: String(state.entries.indexOf(upload.entry) + 1) });
}

function findEntry(state: State, scopes: readonly Scope[], call: Call): Answer {
  const readable = scopes.filter(({ Permission }) => Permission & READ).map(({ Scope }) => Scope);
  if (readable.length === 0) {
    return { status: 403, value: { code: 'permission_denied', msg: 'cache read denied: no readable scope' } };
  }
  const found = search(state.entries, readable, call);
  if (found === undefined) return { status: 200, value: { ok: false } };
  const url = `${call.origin}/devstoreaccount1/cache/entry-${state.entries.indexOf(found)}?sig=secret-down`;
  return granted({ signed_download_url: url, matched_key: found.key });
}

function granted(value: object): Answer {
  return { status: 200, value: { ok: true, ...value } };
}

function refused(message: string): Answer {
  return { status: 200, value: { ok: false, message } };
}

/** Scope by scope: the key itself, then what begins with one of the restore keys, the newest first. */
function search(entries: readonly CacheEntry[], scopes: readonly string[], call: Call): CacheEntry | undefined {
  for (const scope of scopes) {
    const visible = entries
      .filter((entry) => entry.scope === scope && entry.version === call.version && entry.content !== undefined)
      .reverse();
    const exact = visible.find(({ key }) => key === call.key);
    if (exact !== undefined) return exact;
    for (const prefix of call.restore_keys ?? []) {
      const newest = visible.find(({ key }) => key.startsWith(prefix));
      if (newest !== undefined) return newest;
    }
  }
  return undefined;
}

/** Put Blob, Put Block and Put Block List of the Azure Blob service. */
function putBlob(state: State, id: string, url: URL, body: Buffer, response: ServerResponse): void {
  const { uploadStatus } = state.failures;
  const upload = state.uploads.get(id);
  if (uploadStatus !== undefined || upload === undefined) return void response.writeHead(uploadStatus ?? 404).end();
  const component = url.searchParams.get('comp');
  if (component === 'block') upload.blocks.set(url.searchParams.get('blockid')!, body);
  else if (component === 'blocklist') upload.content = joinBlocks(upload.blocks, String(body));
  else upload.content = body;
  response
    .writeHead(201, { 'x-ms-request-id': randomUUID(), etag: '"1"', 'last-modified': new Date().toUTCString() })
    .end();
}

function joinBlocks(blocks: ReadonlyMap<string, Buffer>, list: string): Buffer {
  return Buffer.concat([...list.matchAll(/<Latest>([^<]+)<\/Latest>/g)].map(([, id]) => blocks.get(id!)!));
}

function getBlob({ entries, failures }: State, id: string, response: ServerResponse): void {
  const content = entries[Number(/^entry-(\d+)$/.exec(id)?.[1])]?.content;
  if (content === undefined) return void response.writeHead(404).end();
  response.writeHead(200, { 'content-length': content.length });
  const half = content.subarray(0, content.length / 2);
  if (failures.download === 'cut') response.write(half, () => response.destroy());
  else if (failures.download === 'damage')
    response.end(Buffer.concat([half, Buffer.alloc(content.length - half.length, 7)]));
  else response.end(content);
}

function scopesOf({ headers }: IncomingMessage): readonly Scope[] | undefined {
  const claims = /^Bearer [^.]*\.([^.]+)\./.exec(headers.authorization ?? '')?.[1];
  return claims === undefined ? undefined : JSON.parse(JSON.parse(Buffer.from(claims, 'base64url').toString()).ac);
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
