import { type ClusterConfig, ConfigError } from './cluster-config.ts';

/** What a failed connection means and what to do about it, by the code that Node gives. */
const byCode: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there; start the cluster, or check the address',
  ECONNRESET: 'the connection was reset; check that the address is an API server, and any proxy in between',
  EPIPE: 'the connection was reset; check that the address is an API server, and any proxy in between',
  ENOTFOUND: 'the host name is unknown; check the address and DNS',
  EAI_AGAIN: 'the host name could not be looked up just now; check DNS',
  ETIMEDOUT: 'no answer; check the network and firewalls',
  EHOSTUNREACH: 'no route to the host; check the network',
  ENETUNREACH: 'no route to the network; check the network',
  CERT_HAS_EXPIRED: "the server's certificate has expired; renew it on the cluster",
  CERT_NOT_YET_VALID: "the server's certificate is not valid yet; check the clocks",
  ERR_SSL_WRONG_VERSION_NUMBER: 'the server does not speak TLS; use http:// if that is meant',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'the server does not speak TLS; use http:// if that is meant',
};

const untrusted = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
]);

/** Names the server, the cause and the next step of a connection that did not come about or broke. Pure. */
export function connectionText(config: ClusterConfig, cause: unknown): string {
  const by = config.proxy === undefined ? '' : `, by the proxy that ${config.proxy.source} names`;
  return `${config.server} (${config.source}${by}): ${causeText(cause)}`;
}

/** Whether the two sides do not trust one another's certificates: others may help. Pure. */
export function isCertificateFault(error: unknown): boolean {
  const code = codeOf(error);
  return untrusted.has(code) || /^ERR_TLS_CERT|^CERT_|^ERR_OSSL|^ERR_SSL_.*ALERT/.test(code);
}

/** Whether a connection that did not come about may well do so a moment later: not where something is wrong that somebody must mend, nor after a long wait. Pure. */
export function mayPass(cause: unknown): boolean {
  return !(cause instanceof ConfigError) && !isCertificateFault(cause) && !['ENOTFOUND', 'ETIMEDOUT'].includes(codeOf(cause));
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function causeText(cause: unknown): string {
  if (cause instanceof ConfigError) return cause.message;
  // Node collects the failures of all addresses of a name.
  const error: unknown = cause instanceof AggregateError ? (cause.errors[0] ?? cause) : cause;
  if (!(error instanceof Error)) return 'no connection';
  const code = codeOf(error);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `the server's certificate is for another name${certificateName(error)}; check the address, or set tls-server-name (${code})`;
  }
  if (untrusted.has(code)) {
    return `the server's certificate is not signed by the expected CA; check certificate-authority, or that this is the right cluster (${code})`;
  }
  if (/^ERR_OSSL|^ERR_CRYPTO/.test(code))
    return `the CA, client certificate or key cannot be used; check that they are PEM and belong together (${code})`;
  if (/^ERR_SSL_.*ALERT/.test(code)) return `the server refused the TLS handshake; check the client certificate (${code})`;
  const known = byCode[code];
  if (known !== undefined) return `${known} (${code})`;
  return code === ''
    ? error.message
    : `${code.startsWith('ERR_HTTP2') ? 'the HTTP/2 connection broke' : 'the connection failed'} (${code})`;
}

/** ` (CN kube-apiserver, DNS:localhost)`, where Node gives the certificate along. */
function certificateName(error: Error): string {
  const cert = 'cert' in error && typeof error.cert === 'object' && error.cert !== null ? error.cert : {};
  const subject = 'subject' in cert && typeof cert.subject === 'object' && cert.subject !== null ? cert.subject : {};
  const names = [
    'CN' in subject && typeof subject.CN === 'string' ? `CN ${subject.CN}` : '',
    'subjectaltname' in cert && typeof cert.subjectaltname === 'string' ? cert.subjectaltname : '',
  ].filter((name) => name !== '');
  return names.length === 0 ? '' : ` (${names.join(', ')})`;
}
