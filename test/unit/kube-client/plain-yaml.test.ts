import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, parseDocument, stringify } from 'yaml';
import { readPlainYaml } from '../../../src/kube-client/plain-yaml.ts';

const kubectl = `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: LS0tLS1CRUdJTg==
    server: https://127.0.0.1:6443
  name: kind-dev
contexts:
- context:
    cluster: kind-dev
    namespace: team-a
    user: kind-dev
  name: kind-dev
current-context: kind-dev
kind: Config
preferences: {}
users:
- name: kind-dev
  user:
    client-certificate-data: LS0tLS1CRUdJTg==
    client-key-data: LS0tLS1CRUdJTg==
`;

describe('the YAML of kubeconfigs', () => {
  it.each<{ name: string; text: string }>([
    { name: 'as kubectl writes it', text: kubectl },
    { name: 'with lists set in', text: stringify(parse(kubectl)) },
    { name: 'with comments and empty lines', text: `# mine\n\n${kubectl.replace('contexts:', '  # where\n\ncontexts:')}` },
    { name: 'with quotes and truth values', text: 'a: "b c"\nd: true\ne: "false"\nf: ""\n'.replace('b c', 'b#c') },
    { name: 'with what is left out', text: 'a:\nb:\n- c:\n  d: x\n- c:\n' },
    { name: 'as JSON', text: JSON.stringify(parse(kubectl)) },
  ])('$name is read as the library reads it', ({ text }) => {
    const value = readPlainYaml(text);
    expect(value).toBeDefined();
    expect(value).toEqual(parse(text));
  });

  it.each([
    '',
    'a',
    '- a',
    '- - a: b',
    'a: b: c',
    'a: 1',
    'a: 10.0.0.1',
    'a: 0x1f',
    'a: .inf',
    'a: ~',
    'a: Null',
    'a: TRUE',
    'a: |\n  text',
    'a: >-\n  text',
    'a: &x b\nc: *x',
    'a: !!str b',
    'a: b # said',
    'a: b c',
    'a: b\n  c',
    "a: 'b'",
    'a: "b\\n"',
    'a: [b]',
    'a: {b: c}',
    'a: b\na: c',
    'a:\n  b: c\n d: e',
    'a:\n   b: c\n  d: e',
    ' a: b\nc: d',
    'a: b\n  c: d',
    '- a: b\n   c: d',
    'a:\n- b: c\n  - d: e',
    '? a\n: b',
    '"a": b',
    'a: b\r\nc: d\r\n',
    'a:\tb',
    '---\na: b',
    'a: b\n---\nc: d',
    '%YAML 1.1\n---\na: b',
    '{"a": ',
    '{a: b}',
  ])('%j is left to the library', (text) => {
    expect(readPlainYaml(text)).toBeUndefined();
  });

  it('never means anything else than what the library reads', () => {
    const word = fc.oneof(
      fc.constantFrom('true', 'null', '1', '1e3', '0o7', 'a:', ':a', 'a#b', '- a', '', 'on', '=', '@x', 'x@y', '/p', '_1'),
      fc.string({ maxLength: 6 }),
    );
    const key = fc.constantFrom('name', 'user', 'client-key-data', 'a.b', 'y');
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        word,
        fc.boolean(),
        fc.dictionary(key, tie('tree')),
        fc.array(fc.dictionary(key, tie('tree')), { maxLength: 3 }),
      ),
    }));
    const written = fc
      .tuple(fc.dictionary(key, tree), fc.record({ indent: fc.constantFrom(1, 2, 3), indentSeq: fc.boolean() }))
      .map(([value, options]) => stringify(value, options));
    const line = fc.tuple(fc.constantFrom('', ' ', '  ', '- ', '  - '), key, fc.oneof(word, fc.constant('x')), fc.boolean());
    const scrawled = fc
      .array(line, { maxLength: 6 })
      .map((lines) => lines.map(([indent, name, value, bare]) => `${indent}${name}:${bare ? '' : ` ${value}`}`).join('\n'));
    let read = 0;
    fc.assert(
      fc.property(fc.oneof(written, scrawled), (text) => {
        const value = readPlainYaml(text);
        if (value === undefined || text.startsWith('{')) return;
        read += 1;
        const document = parseDocument(text);
        expect(document.errors).toEqual([]);
        expect(value).toEqual(document.toJS());
      }),
      // The same cases each time: how many of them the reader takes is counted below.
      { numRuns: 500, seed: 42 },
    );
    expect(read).toBeGreaterThan(50);
  });
});
