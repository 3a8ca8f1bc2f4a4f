/** `npm run docs`: makes the generated parts of docs/configuration.md and docs/caching.md anew. */
import { readFileSync, writeFileSync } from 'node:fs';
import schema from '../schemas/config.v1.schema.json' with { type: 'json' };
import { renderCachingDocs } from './render-caching-docs.ts';
import { renderConfigDocs, type SchemaNode } from './render-config-docs.ts';

remake('configuration.md', (page) => renderConfigDocs(page, schema as SchemaNode));
remake('caching.md', renderCachingDocs);

function remake(name: string, render: (page: string) => string): void {
  const file = new URL(`../docs/${name}`, import.meta.url);
  writeFileSync(file, render(readFileSync(file, 'utf8')));
}
