/** `npm run docs`: makes the generated part of docs/configuration.md anew. */
import { readFileSync, writeFileSync } from 'node:fs';
import schema from '../schemas/config.v1.schema.json' with { type: 'json' };
import { renderConfigDocs, type SchemaNode } from './render-config-docs.ts';

const PAGE = new URL('../docs/configuration.md', import.meta.url);

writeFileSync(PAGE, renderConfigDocs(readFileSync(PAGE, 'utf8'), schema as SchemaNode));
