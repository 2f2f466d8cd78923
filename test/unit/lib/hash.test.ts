import { describe, expect, it } from 'vitest';
import { hashHex } from '../../../src/lib/hash.ts';

describe('hashHex', () => {
  it('never changes: revisions of pods that run were made with it', () => {
    expect([hashHex(''), hashHex('a'), hashHex('{"image":"avs:1"}')]).toMatchInlineSnapshot(`
      [
        "8e64f0922c49b2f8",
        "db91899fdc2e3d8d",
        "4b94f08f7a6232fa",
      ]
    `);
  });

  it('is 16 hex digits, different for texts that differ by little', () => {
    const texts = Array.from({ length: 20_000 }, (_, index) => `performer-${index}`);
    const hashes = new Set(texts.map(hashHex));
    expect(hashes.size).toBe(texts.length);
    for (const hash of hashes) expect(hash).toMatch(/^[0-9a-f]{16}$/);
    // Four digits of it stand in pod names.
    expect(new Set(texts.map((text) => hashHex(text).slice(0, 4))).size).toBeGreaterThan(15_000);
  });

  it('tells swapped neighbours apart', () => {
    expect(hashHex('ab')).not.toBe(hashHex('ba'));
  });
});
