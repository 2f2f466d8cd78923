import { type ClusterConfig, ConfigError, codeOf } from './cluster-config.ts';
import { isRecord } from './decode.ts';

const untrusted =
  /^(?:UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT(?:_LOCALLY)?|SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|CERT_SIGNATURE_FAILURE|CERT_UNTRUSTED)$/;

/** What a failed connection means and what to do about it, by the code that Node gives; the first that fits. */
const meanings: readonly (readonly [code: RegExp, meaning: string])[] = [
  [/^ECONNREFUSED$/, 'nothing listens there; start the cluster, or check the address'],
  [/^(?:ECONNRESET|EPIPE)$/, 'the connection was reset; check that the address is an API server, and any proxy in between'],
  [/^ENOTFOUND$/, 'the host name is unknown; check the address and DNS'],
  [/^EAI_AGAIN$/, 'the host name could not be looked up just now; check DNS'],
  [/^ETIMEDOUT$/, 'no answer; check the network and firewalls'],
  [/^EHOSTUNREACH$/, 'no route to the host; check the network'],
  [/^ENETUNREACH$/, 'no route to the network; check the network'],
  [/^CERT_HAS_EXPIRED$/, "the server's certificate has expired; renew it on the cluster"],
  [/^CERT_NOT_YET_VALID$/, "the server's certificate is not valid yet; check the clocks"],
  [untrusted, "the server's certificate is not signed by the expected CA; check certificate-authority, or that this is the right cluster"],
  [/^ERR_SSL_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)$/, 'the server does not speak TLS; use http:// if that is meant'],
  [/^ERR_OSSL|^ERR_CRYPTO/, 'the CA, client certificate or key cannot be used; check that they are PEM and belong together'],
  [/^ERR_SSL_.*ALERT/, 'the server refused the TLS handshake; check the client certificate'],
  [/^ERR_HTTP2/, 'the HTTP/2 connection broke'],
  [/./, 'the connection failed'],
];

/** Names the server, the cause and the next step of a connection that did not come about or broke. Pure. */
export function connectionText(config: ClusterConfig, cause: unknown): string {
  const by = config.proxy === undefined ? '' : `, by the proxy that ${config.proxy.source} names`;
  return `${config.server} (${config.source}${by}): ${causeText(cause)}`;
}

/** Whether the two sides do not trust one another's certificates: others may help. Pure. */
export function isCertificateFault(error: unknown): boolean {
  const code = codeOf(error);
  return untrusted.test(code) || /^ERR_TLS_CERT|^CERT_|^ERR_OSSL|^ERR_SSL_.*ALERT/.test(code);
}

/** Whether a connection that did not come about may well do so a moment later: not where something is wrong that somebody must mend, nor after a long wait. Pure. */
export function mayPass(cause: unknown): boolean {
  return !(cause instanceof ConfigError) && !isCertificateFault(cause) && !['ENOTFOUND', 'ETIMEDOUT'].includes(codeOf(cause));
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
  const meaning = meanings.find(([pattern]) => pattern.test(code))?.[1];
  return meaning === undefined ? error.message : `${meaning} (${code})`;
}

/** ` (CN kube-apiserver, DNS:localhost)`, where Node gives the certificate along. */
function certificateName(error: Error): string {
  const cert = 'cert' in error && isRecord(error.cert) ? error.cert : {};
  const commonName = isRecord(cert.subject) && typeof cert.subject.CN === 'string' ? `CN ${cert.subject.CN}` : undefined;
  const names = [commonName, cert.subjectaltname].filter((name) => typeof name === 'string' && name !== '');
  return names.length === 0 ? '' : ` (${names.join(', ')})`;
}
