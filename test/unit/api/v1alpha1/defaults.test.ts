import { describe, expect, it } from 'vitest';
import { effectivePort } from '../../../../src/api/v1alpha1/defaults.ts';

describe('effectivePort', () => {
  it.each([
    { name: 'is 8080 without config', spec: {}, port: 8080 },
    { name: 'is 9090 with a config that names none', spec: { config: {} }, port: 9090 },
    { name: 'is the one the config names', spec: { config: { grpcPort: 7001 } }, port: 7001 },
  ])('$name', ({ spec, port }) => {
    expect(effectivePort(spec)).toBe(port);
  });
});
