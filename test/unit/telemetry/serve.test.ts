import { afterEach, describe, expect, it } from 'vitest';
import { healthPages } from '../../../src/telemetry/health.ts';
import { type PageServer, type Pages, servePages } from '../../../src/telemetry/serve.ts';

const servers: PageServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function serve(pages: Pages): Promise<string> {
  const server = await servePages('pages', { host: '127.0.0.1', port: 0 }, pages);
  servers.push(server);
  return `http://127.0.0.1:${server.port}`;
}

async function ask(url: string, init?: RequestInit): Promise<{ status: number; body: string }> {
  const answer = await fetch(url, init);
  return { status: answer.status, body: await answer.text() };
}

describe('the server of pages', () => {
  it('says which port is taken and what to do', async () => {
    const url = await serve({});
    const port = Number(new URL(url).port);
    await expect(servePages('pages', { host: '127.0.0.1', port }, {})).rejects.toThrow(
      `serving pages on 127.0.0.1:${port}: the port is taken`,
    );
  });

  it('answers its paths to GET and HEAD, and a page that throws with its message', async () => {
    const url = await serve({
      '/a': () => ({ status: 200, type: 'text/plain', body: 'here' }),
      '/broken': () => Promise.reject(new Error('no figures')),
    });
    expect(await ask(`${url}/a?x=1`)).toEqual({ status: 200, body: 'here' });
    expect(await ask(`${url}/a`, { method: 'HEAD' })).toEqual({ status: 200, body: '' });
    expect(await ask(`${url}/a`, { method: 'POST' })).toEqual({ status: 405, body: 'only GET\n' });
    expect(await ask(`${url}/b`)).toEqual({ status: 404, body: 'not found\n' });
    expect(await ask(`${url}/broken`)).toEqual({ status: 500, body: 'no figures\n' });
  });
});

describe('health over HTTP', () => {
  let trouble: string | undefined;
  const start = (): Promise<string> =>
    serve(healthPages({ 'stuck-pass': () => undefined }, { caches: () => trouble, shutdown: () => undefined }));

  it('is ok in a word, and in lines when it is asked for', async () => {
    trouble = undefined;
    const url = await start();
    expect(await ask(`${url}/healthz`)).toEqual({ status: 200, body: 'ok' });
    expect(await ask(`${url}/livez?verbose`)).toEqual({ status: 200, body: '[+]stuck-pass ok\nlivez check passed\n' });
    expect((await ask(`${url}/readyz?verbose`)).body).toBe('[+]caches ok\n[+]shutdown ok\nreadyz check passed\n');
  });

  it('names the check that fails, and leaves one out on request', async () => {
    trouble = 'nothing heard for 20 s';
    const url = await start();
    expect(await ask(`${url}/readyz`)).toEqual({
      status: 500,
      body: '[-]caches failed: nothing heard for 20 s\n[+]shutdown ok\nreadyz check failed\n',
    });
    expect(await ask(`${url}/readyz?exclude=caches`)).toEqual({ status: 200, body: 'ok' });
    expect(await ask(`${url}/healthz`)).toEqual({ status: 200, body: 'ok' });
  });
});
