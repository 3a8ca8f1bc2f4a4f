// The licences of what is shipped, each with its whole text: permissive licences ask for no more, and for no less.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGES = resolve(dirname(fileURLToPath(import.meta.url)), '..', 'node_modules');

/** Packages that carry no licence file, and what stands in for it. */
const SUBSTITUTES = {
  '@bufbuild/protobuf': () =>
    `Copyright 2021-2026 Buf Technologies, Inc.\n${APACHE}\n\nParts of it:\n\n${headerOf('@bufbuild/protobuf/dist/esm/wire/varint.js')}`,
  '@nodable/entities': () => `Copyright (c) Amit Gupta (https://solothought.com)\n\n${MIT}`,
  'onnxruntime-node': () => `Copyright (c) Microsoft Corporation\n\n${MIT}\n${ONNXRUNTIME_NOTICES}`,
  'onnxruntime-common': () => `Copyright (c) Microsoft Corporation\n\n${MIT}`,
};

const APACHE = 'Licensed under the Apache License, Version 2.0, whose text is the LICENSE file of bitgate.';

const ONNXRUNTIME_NOTICES = `
The native library contains third-party software; its notices are in ThirdPartyNotices.txt of
https://github.com/microsoft/onnxruntime at the tag of this version.`;

const MIT = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;

/** The packages that ncc's list of licences names: a line that is a package, and below it the licence it declares. */
export function bundledPackages(list) {
  const lines = list.split('\n');
  return lines.filter((line, at) => /^(@[\w.-]+\/)?[\w.-]+$/.test(line) && manifestOf(line)?.license === lines[at + 1]);
}

/** One section per package. @throws Error if a package has no licence text */
export function renderLicenses(packages) {
  return packages
    .map((name) => `${'='.repeat(80)}\n${titleOf(name)}\n${'='.repeat(80)}\n\n${textOf(name)}\n`)
    .join('\n');
}

function titleOf(name) {
  const { version, license } = manifestOf(name);
  return `${name} ${version}, ${license}`;
}

function textOf(name) {
  const file = readdirSync(`${PACKAGES}/${name}`).find((entry) => /^licen[cs]e(\.(md|txt))?$/i.test(entry));
  if (file !== undefined) return readFileSync(`${PACKAGES}/${name}/${file}`, 'utf8').trim();
  const substitute = SUBSTITUTES[name];
  if (substitute === undefined) throw new Error(`${name} has no licence file; add its text to scripts/licenses.mjs`);
  return substitute().trim();
}

/** The comment at the top of a source file. */
function headerOf(path) {
  const lines = readFileSync(`${PACKAGES}/${path}`, 'utf8').split('\n');
  const end = lines.findIndex((line) => !line.startsWith('//'));
  return lines
    .slice(0, end)
    .map((line) => line.replace(/^\/\/ ?/, ''))
    .join('\n');
}

function manifestOf(name) {
  const path = `${PACKAGES}/${name}/package.json`;
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}
