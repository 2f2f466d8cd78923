import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/kube-client/cluster-config.ts';
import { connectionText } from '../../../src/kube-client/connection-text.ts';

const config = {
  source: 'context dev of /k',
  server: 'https://x.test:6443',
  namespace: 'default',
  tls: async () => ({}),
  headers: async () => ({}),
};
const failed = (code: string, more: object = {}): Error => Object.assign(new Error(`failed with ${code}`), { code, ...more });

describe('connectionText', () => {
  it.each<{ cause: unknown; text: string }>([
    { cause: failed('ECONNREFUSED'), text: 'nothing listens there; start the cluster, or check the address (ECONNREFUSED)' },
    {
      cause: new AggregateError([failed('ECONNREFUSED'), failed('ENETUNREACH')]),
      text: 'nothing listens there; start the cluster, or check the address (ECONNREFUSED)',
    },
    { cause: failed('ENOTFOUND'), text: 'the host name is unknown; check the address and DNS (ENOTFOUND)' },
    { cause: failed('CERT_HAS_EXPIRED'), text: "the server's certificate has expired; renew it on the cluster (CERT_HAS_EXPIRED)" },
    {
      cause: failed('SELF_SIGNED_CERT_IN_CHAIN'),
      text: "the server's certificate is not signed by the expected CA; check certificate-authority, or that this is the right cluster (SELF_SIGNED_CERT_IN_CHAIN)",
    },
    {
      cause: failed('ERR_TLS_CERT_ALTNAME_INVALID', { cert: { subject: { CN: 'api' }, subjectaltname: 'DNS:api.test' } }),
      text: "the server's certificate is for another name (CN api, DNS:api.test); check the address, or set tls-server-name (ERR_TLS_CERT_ALTNAME_INVALID)",
    },
    {
      cause: failed('ERR_OSSL_X509_KEY_VALUES_MISMATCH'),
      text: 'the CA, client certificate or key cannot be used; check that they are PEM and belong together (ERR_OSSL_X509_KEY_VALUES_MISMATCH)',
    },
    {
      cause: failed('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'),
      text: 'the server refused the TLS handshake; check the client certificate (ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED)',
    },
    {
      cause: failed('ERR_SSL_WRONG_VERSION_NUMBER'),
      text: 'the server does not speak TLS; use http:// if that is meant (ERR_SSL_WRONG_VERSION_NUMBER)',
    },
    { cause: failed('ERR_HTTP2_SESSION_ERROR'), text: 'the HTTP/2 connection broke (ERR_HTTP2_SESSION_ERROR)' },
    { cause: failed('EWHATEVER'), text: 'the connection failed (EWHATEVER)' },
    { cause: new Error('no sign of life'), text: 'no sign of life' },
    { cause: new ConfigError('reading CA /ca: there is no such file'), text: 'reading CA /ca: there is no such file' },
    { cause: 'odd', text: 'no connection' },
  ])('says: $text', ({ cause, text }) => {
    expect(connectionText(config, cause)).toBe(`https://x.test:6443 (context dev of /k): ${text}`);
  });

  it('names who named a proxy, but not the proxy, which may hold a password', () => {
    const proxy = { url: 'http://u:hunter2@p', source: 'HTTPS_PROXY' };
    expect(connectionText({ ...config, proxy }, failed('ETIMEDOUT'))).toMatch(
      /^https:\/\/x\.test:6443 \(context dev of \/k, by the proxy that HTTPS_PROXY names\): no answer/,
    );
  });
});
