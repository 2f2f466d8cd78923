import { describe, expect, it } from 'vitest';
import { createTokenFile } from '../../../src/kube-client/credentials.ts';
import { FakeClock } from '../../support/fake-clock.ts';

function given(): { clock: FakeClock; file: { content: string | undefined; reads: number }; token: (renew: boolean) => Promise<string> } {
  const clock = new FakeClock();
  const file: { content: string | undefined; reads: number } = { content: ' one\n', reads: 0 };
  const token = createTokenFile(
    '/token',
    async () => {
      file.reads += 1;
      if (file.content === undefined) throw new Error('unreadable');
      return file.content;
    },
    clock,
  );
  return { clock, file, token };
}

describe('a token file', () => {
  it('is read again after a minute', async () => {
    const { clock, file, token } = given();
    expect(await token(false)).toBe('one');
    file.content = 'two';
    await clock.advance(59_999);
    expect(await token(false)).toBe('one');
    await clock.advance(1);
    expect(await token(false)).toBe('two');
  });

  it('is read again at once when its token was refused, once for all who ask', async () => {
    const { file, token } = given();
    await token(false);
    file.content = 'two';
    expect(await Promise.all([token(true), token(true), token(true)])).toEqual(['two', 'two', 'two']);
    expect(file.reads).toBe(2);
  });

  it.each([undefined, ''])('keeps its last token while its content is %j', async (content) => {
    const { file, token } = given();
    await token(false);
    file.content = content;
    expect(await token(true)).toBe('one');
  });

  it('fails when there was never a token', async () => {
    const { file, token } = given();
    file.content = '';
    await expect(token(false)).rejects.toThrow('the token file /token is empty');
    file.content = 'late';
    expect(await token(false)).toBe('late');
  });
});
