import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { downloadRuntime } from '../../src/entry/download-runtime.ts';
import { openRuntime, type RuntimeEffects } from '../../src/entry/open-runtime.ts';
import { tarEntries } from '../../src/entry/tar-entries.ts';
import { toolCacheFolder } from '../../src/runtime/find-onnxruntime.ts';
import type { PinnedPackage } from '../../src/runtime/pinned-packages.ts';
import { filesOfPackage, temporaryFolder, writeFiles } from '../runtime/packages.ts';

const NAME = 'onnxruntime-node';
const VERSION = '1.30.0';

/** A ustar archive of text files. */
function tar(files: Readonly<Record<string, string>>): Buffer {
  const blocks = Object.entries(files).flatMap(([path, content]) => {
    const header = Buffer.alloc(512);
    header.write(path, 0).toString();
    header.write('000644 \0', 100);
    header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
    header.write('        0', 148);
    header.write('ustar\x0000', 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    return [header, Buffer.from(content.padEnd(Math.ceil(content.length / 512) * 512, '\0'))];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

function tarball(files: Readonly<Record<string, string>>): Buffer {
  return gzipSync(tar(Object.fromEntries(Object.entries(files).map(([path, text]) => [`package/${path}`, text]))));
}

function pin(content: Buffer, changes: Partial<PinnedPackage> = {}): PinnedPackage {
  const integrity = `sha512-${createHash('sha512').update(content).digest('base64')}`;
  return { name: NAME, version: VERSION, integrity, tarballBytes: content.length, ...changes };
}

let server: Server | undefined;
afterEach(() => server?.close());

/** The address of a registry that answers like this. */
async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener);
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const serveBytes = (content: Buffer) => serve((_request, response) => void response.end(content));

describe('downloadRuntime', () => {
  it('downloadRuntime: the pinned tarball becomes a package in the folder, for this machine alone', async () => {
    const files = {
      ...filesOfPackage({ version: VERSION }),
      'bin/napi-v6/aix/ppc/onnxruntime_binding.node': 'other',
      'lib/index.ts': 'source',
    };
    const content = tarball(files);
    const asked: unknown[] = [];
    const registry = await serve((request, response) => {
      asked.push(request.url);
      response.end(content);
    });
    const folder = join(temporaryFolder(), 'x64');
    await downloadRuntime({ registry: `${registry}/`, packages: [pin(content)], folder });
    expect(asked).toEqual(['/onnxruntime-node/-/onnxruntime-node-1.30.0.tgz']);
    expect(existsSync(`${folder}.complete`)).toBe(true);
    const below = readdirSync(join(folder, 'node_modules', NAME), { recursive: true, encoding: 'utf8' });
    expect(below.filter((path) => /\.\w+$/.test(path)).sort()).toEqual([
      `bin/napi-v6/${process.platform}/${process.arch}/onnxruntime_binding.node`,
      'dist/index.js',
      'package.json',
    ]);
  });

  const good = tarball(filesOfPackage());
  it.each([
    [
      'another digest',
      good,
      pin(Buffer.from('other'), { tarballBytes: 10_000 }),
      /is not onnxruntime-node 1\.30\.0: its digest is sha512-/,
    ],
    ['more bytes than pinned', good, pin(good, { tarballBytes: 10 }), /the answer has more than 10 bytes/],
    [
      'no archive',
      Buffer.from('no archive'),
      pin(Buffer.from('no archive')),
      /cannot be unpacked: incorrect header check/,
    ],
    [
      'a cut archive',
      gzipSync(tar({ 'package/a.js': 'x' }).subarray(0, 700)),
      undefined,
      /the archive ends inside package\/a\.js/,
    ],
    ['a damaged header', gzipSync(Buffer.alloc(512, 1)), undefined, /a header of the archive is damaged/],
    ['a path outside', gzipSync(tar({ 'package/../../../x.js': 'x' })), undefined, /names a path outside itself/],
  ])('downloadRuntime: %s is refused, and nothing stays', async (_, content, pinned, message) => {
    const registry = await serveBytes(content);
    const folder = join(temporaryFolder(), 'x64');
    const download = { registry, packages: [pinned ?? pin(content)], folder };
    await expect(downloadRuntime(download)).rejects.toThrow(message);
    expect(readdirSync(dirname(folder))).toEqual([]);
  });

  it('downloadRuntime: a registry that has it not, or is not there, is named', async () => {
    const registry = await serve((_request, response) => void response.writeHead(404).end());
    const download = { registry, packages: [pin(good)], folder: join(temporaryFolder(), 'x64') };
    const address = `${registry}/onnxruntime-node/-/onnxruntime-node-1.30.0.tgz`;
    await expect(downloadRuntime(download)).rejects.toThrow(`cannot download ${address}: the answer is 404`);
    const closed = new Promise((resolve) => server!.close(resolve));
    server!.closeAllConnections();
    await closed;
    await expect(downloadRuntime(download)).rejects.toThrow(/^cannot download .*: fetch failed: .+\n {2}fix: give/);
  });
});

describe('tarEntries', () => {
  it('tarEntries: files come whole whatever the size of the chunks, and unwanted ones are passed over', async () => {
    const archive = tar({ 'a.js': 'a'.repeat(1000), 'b.bin': 'b'.repeat(513), 'c.js': '' });
    for (const size of [1, 7, 512, 1000, archive.length]) {
      const chunks = (async function* () {
        for (let at = 0; at < archive.length; at += size) yield archive.subarray(at, at + size);
      })();
      const found: [string, number][] = [];
      for await (const { path, content } of tarEntries(chunks, (path) => path.endsWith('.js'))) {
        found.push([path, content.length]);
      }
      expect(found).toEqual([
        ['a.js', 1000],
        ['c.js', 0],
      ]);
    }
  });
});

describe('openRuntime', () => {
  const LIBRARY =
    '{ InferenceSession: { create: async () => ({ inputNames: ["x"], outputNames: [], release() {} }) } }';

  /** Effects of a machine that has onnxruntime nowhere but perhaps in its tool cache. */
  function effectsOf(changes: Partial<RuntimeEffects> = {}): RuntimeEffects & { readonly lines: string[] } {
    const lines: string[] = [];
    return {
      lines,
      toolCache: temporaryFolder(),
      probeWith: () => async () => ({ works: false, reason: 'no such card' }),
      download: async () => {
        throw new Error('not asked for');
      },
      nameDevice: async () => undefined,
      note: (line) => lines.push(line),
      ...changes,
    };
  }

  it('openRuntime: says which runtime it took and from where, and which device and why not another', async () => {
    const toolCache = temporaryFolder();
    const folder = writeFiles(toolCacheFolder(toolCache), filesOfPackage({ exports: LIBRARY }));
    const effects = effectsOf({ toolCache });
    const runtime = await openRuntime({ device: 'auto', allowsDownload: false }, effects);
    expect(runtime).toMatchObject({ version: '9.9.9', executionProvider: 'cpu' });
    expect((await runtime.openSession(new Uint8Array())).inputNames).toEqual(['x']);
    expect(effects.lines).toEqual([
      `onnxruntime 9.9.9: tool cache, ${folder}`,
      'device: cpu (auto); not cuda: no such card; not webgpu: no such card',
    ]);
  });

  it('openRuntime: a device goes by its own name', async () => {
    const path = writeFiles(temporaryFolder(), filesOfPackage({ exports: LIBRARY }));
    const effects = effectsOf({
      probeWith: () => async () => ({ works: true, milliseconds: 1 }),
      nameDevice: async (device) => `${device} card`,
    });
    const runtime = await openRuntime({ device: 'cuda', path, allowsDownload: false }, effects);
    expect(runtime).toMatchObject({ executionProvider: 'cuda', deviceName: 'cuda card' });
    expect(effects.lines[1]).toBe('device: cuda, cuda card');
  });

  it('openRuntime: a path without the runtime is an error, also where a download is allowed', async () => {
    const path = temporaryFolder();
    await expect(openRuntime({ device: 'cpu', path, allowsDownload: true }, effectsOf())).rejects.toThrow(
      `onnxruntime-node is not where it could be:\n  runtime-path, ${path}: no onnxruntime-node there\n  fix: `,
    );
  });

  it('openRuntime: a library that does not load is an error that names its folder', async () => {
    const path = writeFiles(temporaryFolder(), filesOfPackage({ exports: 'nonsense' }));
    await expect(openRuntime({ device: 'cpu', path, allowsDownload: false }, effectsOf())).rejects.toThrow(
      `${path}: onnxruntime cannot be loaded: nonsense is not defined`,
    );
  });
});
