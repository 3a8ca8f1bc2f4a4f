/** Where onnxruntime-node is: the places in which it may lie, in order, each looked at without loading anything. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ONNXRUNTIME_VERSION } from './pinned-packages.ts';

export type RuntimePlace = 'runtime-path' | 'tool cache' | 'vendored' | 'node_modules';

/** A package that could be loaded: its folder holds package.json and a native library for this machine. */
export type FoundRuntime = { readonly place: RuntimePlace; readonly folder: string; readonly version: string };

/** A place that was looked at in vain, and why. */
export type MissedRuntime = { readonly place: RuntimePlace; readonly folder: string; readonly reason: string };

export type RuntimeSearch = {
  /** A folder that holds the package, or is the package. */
  readonly runtimePath?: string;
  /** The runner's folder of tools, laid out as <tool>/<version>/<architecture>. */
  readonly toolCache?: string;
  /** The folder beside the bundle that releases carry; of the file that calls when absent. */
  readonly vendorFolder?: string;
};

export type RuntimeSearchResult = { readonly found?: FoundRuntime; readonly missed: readonly MissedRuntime[] };

const PACKAGE = 'onnxruntime-node';
const require = createRequire(import.meta.url);
/** Beside dist/bitgate.mjs; in a variable, or the bundler would copy it as an asset. */
const VENDOR = './vendor';

/**
 * Look for onnxruntime-node: where the user says, in the tool cache, beside the bundle, in node_modules.
 * A path that the user gave is the only place: another runtime than the one asked for is not an answer.
 */
export function findOnnxruntime(search: RuntimeSearch = {}): RuntimeSearchResult {
  const missed: MissedRuntime[] = [];
  for (const { place, folder } of placesOf(search)) {
    const found = place === 'node_modules' ? lookUp(folder) : lookInside(folder);
    if ('version' in found) return { found: { place, ...found }, missed };
    missed.push({ place, folder, reason: found.reason });
  }
  return { missed };
}

function placesOf({
  runtimePath,
  toolCache,
  vendorFolder = fileURLToPath(new URL(VENDOR, import.meta.url)),
}: RuntimeSearch) {
  if (runtimePath !== undefined) return [{ place: 'runtime-path' as const, folder: runtimePath }];
  return [
    ...(toolCache === undefined ? [] : [{ place: 'tool cache' as const, folder: toolCacheFolder(toolCache) }]),
    { place: 'vendored' as const, folder: vendorFolder },
    { place: 'node_modules' as const, folder: dirname(fileURLToPath(import.meta.url)) },
  ];
}

/** The layout of actions/tool-cache. */
export function toolCacheFolder(toolCache: string): string {
  return join(toolCache, PACKAGE, ONNXRUNTIME_VERSION, process.arch);
}

type Looked = { readonly folder: string; readonly version: string } | { readonly reason: string };

/** The package in a folder that is the package itself, or has it in node_modules. */
function lookInside(folder: string): Looked {
  for (const candidate of [folder, join(folder, 'node_modules', PACKAGE)]) {
    if (manifestOf(candidate)?.name === PACKAGE) return inspect(candidate);
  }
  return { reason: `no ${PACKAGE} there` };
}

/** The package as `require` finds it, from a folder up. */
function lookUp(folder: string): Looked {
  try {
    return inspect(join(createRequire(join(folder, 'here.js')).resolve(`${PACKAGE}/package.json`), '..'));
  } catch {
    return { reason: `no ${PACKAGE} there, nor in a folder above` };
  }
}

function inspect(folder: string): Looked {
  const version = manifestOf(folder)!.version;
  if (isThere(join(libraryFolder(folder), 'onnxruntime_binding.node'))) return { folder, version };
  return { reason: `${PACKAGE} ${version} has no library for ${process.platform}-${process.arch}` };
}

type Manifest = {
  readonly name: string;
  readonly version: string;
  readonly binary?: { readonly napi_versions?: readonly number[] };
};

function manifestOf(folder: string): Manifest | undefined {
  try {
    return require(join(folder, 'package.json')) as Manifest;
  } catch {
    return undefined;
  }
}

/** The folder of the native library, where onnxruntime also looks for the libraries of its providers. */
export function libraryFolder(folder: string): string {
  return join(
    folder,
    `bin/napi-v${manifestOf(folder)?.binary?.napi_versions?.[0]}/${process.platform}/${process.arch}`,
  );
}

/** Whether a file is there, as `require` sees it. */
export function isThere(path: string): boolean {
  try {
    require.resolve(path);
    return true;
  } catch {
    return false;
  }
}
