import { stringify } from 'yaml';
import type { KeyPair } from './certificates.ts';

/** A kubeconfig with everything in it, so that it works from any directory. Pure. */
export function buildKubeconfig(name: string, server: string, authority: string, client: KeyPair): string {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server, 'certificate-authority-data': base64(authority) } }],
    users: [{ name, user: { 'client-certificate-data': base64(client.certificate), 'client-key-data': base64(client.privateKey) } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  });
}
