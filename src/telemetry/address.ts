import { isIP } from 'node:net';

export interface Address {
  /** Absent: all addresses of the machine. */
  readonly host?: string;
  readonly port: number;
}

/** `:8080`, `127.0.0.1:0`, `[::1]:8080` or `localhost:8080`, as Go reads them; `0` and an empty text mean off. @throws RangeError that says what to give */
export function parseAddress(text: string): Address | undefined {
  if (text === '0' || text === '') return undefined;
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3]);
  if (match === null || port > 65_535 || (match[1] !== undefined && isIP(host) !== 6))
    throw new RangeError('give an address such as :8080 or 127.0.0.1:8080, or 0 for off.');
  return host === '' ? { port } : { host, port };
}
