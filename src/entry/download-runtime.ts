/** Fetches onnxruntime-node from the npm registry: the pinned tarballs or nothing, checked before a byte is unpacked. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, normalize, sep } from 'node:path';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { UserError } from '../errors.ts';
import type { PinnedPackage } from '../runtime/pinned-packages.ts';
import { tarEntries } from './tar-entries.ts';

export type Download = {
  /** Base address of the registry, such as https://registry.npmjs.org. */
  readonly registry: string;
  readonly packages: readonly PinnedPackage[];
  /** Becomes a folder with node_modules; the marker `<folder>.complete` is written last (actions/tool-cache). */
  readonly folder: string;
};

/** A tarball that trickles is given up after this long. */
const TIMEOUT_MILLISECONDS = 10 * 60_000;

/** @throws UserError if a tarball cannot be fetched, is not the pinned one, or cannot be kept */
export async function downloadRuntime({ registry, packages, folder }: Download): Promise<void> {
  const unfinished = `${folder}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    for (const pinned of packages) {
      const tarball = await fetchTarball(registry, pinned);
      await unpack(tarball, join(unfinished, 'node_modules', pinned.name));
    }
    await rm(folder, { recursive: true, force: true });
    await rename(unfinished, folder);
    await writeFile(`${folder}.complete`, '');
  } catch (cause) {
    await rm(unfinished, { recursive: true, force: true });
    if (cause instanceof UserError) throw cause;
    const what = `onnxruntime-node cannot be unpacked: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new UserError({ what, where: folder }, { cause });
  }
}

async function fetchTarball(registry: string, pinned: PinnedPackage): Promise<Uint8Array> {
  const address = `${registry.replace(/\/$/, '')}/${pinned.name}/-/${pinned.name}-${pinned.version}.tgz`;
  const tarball = await fetchBytes(address, pinned.tarballBytes);
  const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
  if (integrity === pinned.integrity) return tarball;
  throw new UserError({
    what: `${address} is not ${pinned.name} ${pinned.version}: its digest is ${integrity}, expected ${pinned.integrity}`,
    fix: 'nothing of it was used; find out who answers for the registry',
  });
}

async function fetchBytes(address: string, maxBytes: number): Promise<Uint8Array> {
  try {
    const response = await fetch(address, { signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS) });
    if (!response.ok || response.body === null) throw new Error(`the answer is ${response.status}`);
    return await readAtMost(response.body, maxBytes);
  } catch (cause) {
    const reasons = [cause, cause instanceof Error ? cause.cause : undefined].filter((error) => error instanceof Error);
    const what = `cannot download ${address}: ${reasons.map(({ message }) => message).join(': ')}`;
    const fix = 'give this machine a way to the registry, or put the runtime there as docs/self-hosted.md says';
    throw new UserError({ what, fix }, { cause });
  }
}

async function readAtMost(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > maxBytes) throw new Error(`the answer has more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function unpack(tarball: Uint8Array, folder: string): Promise<void> {
  const stream = Readable.from([tarball]).pipe(createGunzip());
  for await (const { path, content } of tarEntries(stream, isNeeded)) {
    const target = join(folder, normalize(path).split(sep).slice(1).join(sep));
    if (!target.startsWith(folder + sep)) throw new Error(`the archive names a path outside itself: ${path}`);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, content);
  }
}

/** What runs here: JavaScript, manifests, and the native libraries of this machine alone. */
function isNeeded(path: string): boolean {
  const library = /\/bin\/napi-v\d+\/([^/]+)\/([^/]+)\//.exec(path);
  if (library !== null) return library[1] === process.platform && library[2] === process.arch;
  return /\.(js|json|md|txt)$|\/LICENSE[^/]*$/.test(path);
}
