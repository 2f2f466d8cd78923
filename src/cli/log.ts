import type { Writable } from 'node:stream';

export type Log = (message: string, fields?: Readonly<Record<string, unknown>>) => void;

/** Log lines: the text is constant, what varies stands in fields. `json` for collectors, `text` for people. No field may hold an environment value. */
export function createLog(out: Writable, format: 'text' | 'json', nowMs: () => number): Log {
  return (message, fields = {}) => {
    const time = new Date(nowMs()).toISOString();
    if (format === 'json') {
      out.write(`${JSON.stringify({ time, msg: message, ...fields })}\n`);
      return;
    }
    const tail = Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => ` ${name}=${typeof value === 'string' && !/[\s"]/.test(value) ? value : JSON.stringify(value)}`)
      .join('');
    out.write(`${time.slice(11, 23)} ${message}${tail}\n`);
  };
}
