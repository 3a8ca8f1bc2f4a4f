import { join, resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import type { ConfigOverrides } from '../config/overrides.ts';
import { parseConfig } from '../config/parse-config.ts';
import { MAX_TEXT_BYTES } from '../config/yaml-document.ts';
import { type Problem, UserError } from '../errors.ts';
import type { Files } from './files.ts';

/**
 * Reads and parses a config file; `path` is relative to the working directory and stands in messages as it is given.
 *
 * @throws UserError if it cannot be read, is no UTF-8 text, or has problems
 */
export async function readConfig(
  path: string,
  overrides: ConfigOverrides & { readonly workingDirectory: string },
  files: Files,
): Promise<Config> {
  const absolutePath = resolve(overrides.workingDirectory, path);
  await refuseFolder(absolutePath, files);
  const bytes = await files.readFile(absolutePath, MAX_TEXT_BYTES);
  return parseConfig(decodeText(bytes, path), path, overrides);
}

async function refuseFolder(path: string, files: Files): Promise<void> {
  if ((await files.kindOf(path)) !== 'folder') return;
  throw new UserError({
    what: 'a folder, expected a config file',
    where: path,
    fix: `name ${join(path, 'bitgate.yml')}`,
  });
}

function decodeText(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    const fix = 'name the config, and save it as UTF-8';
    throw new UserError({ what: 'no UTF-8 text, expected a config in YAML', where: path, fix }, { cause });
  }
}

/**
 * Makes sure before any work that every input is there and every output can be written.
 *
 * @throws UserError with all that is missing at once
 */
export async function checkPaths(config: Config, files: Files): Promise<void> {
  await checkInputs(config, files);
  await files.assertFileCanBeWritten(config.outputPath);
  await files.assertFolderCanBeWritten(config.reportDirectory);
}

async function checkInputs(config: Config, files: Files): Promise<void> {
  const { modelPath, data, quantize, sensitivity, constraints } = config;
  const modelKind = await files.kindOf(modelPath);
  const problems = [
    ...(modelKind === 'file' ? [] : [describeWrongModel(modelPath, modelKind)]),
    ...(await findMissing('calibration data', data.calibration.path, files)),
    ...(await findMissing('evaluation data', data.evaluation?.path, files)),
    ...(await findMissing('allocation', quantize.allocationPath, files)),
    ...(await findMissing('file of sensitivities', sensitivity.path, files)),
  ];
  for (const constraint of constraints) {
    if (constraint.kind === 'costs') problems.push(...(await findMissing('file of costs', constraint.path, files)));
  }
  if (problems.length > 0) throw new UserError(problems);
}

async function findMissing(role: string, path: string | undefined, files: Files) {
  if (path === undefined || (await files.kindOf(path)) !== 'missing') return [];
  return [{ what: `the ${role} is missing`, where: path, fix: 'check the path, which is relative to the config' }];
}

function describeWrongModel(modelPath: string, kind: 'folder' | 'missing'): Problem {
  return {
    what: `the model is ${kind === 'folder' ? 'a folder' : 'missing'}, expected a file`,
    where: modelPath,
    fix: 'check the path: `model` is relative to the config, an option to the working directory',
  };
}
