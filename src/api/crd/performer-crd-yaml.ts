import { stringify } from 'yaml';
import { renderCrd } from './performer-crd.ts';

const header = '# Generated from src/api by `npm run generate`; do not edit.\n';

/** The CRD as the file that is committed, shipped and printed. In a module of its own, so that nothing else loads a YAML library. Pure. */
export function renderCrdYaml(): string {
  // No aliases: kubectl reads them, but a reader should not have to.
  return header + stringify(renderCrd(), { aliasDuplicateObjects: false, lineWidth: 0 });
}
