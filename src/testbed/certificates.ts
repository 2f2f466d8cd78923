import 'reflect-metadata'; // must be loaded before the certificate library, which reads decorator metadata
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { controlPlaneAddress } from './nodes/node-plan.ts';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const dayMs = 24 * 3_600_000;
const lifetimeMs = 365 * dayMs;
/** Certificates start in the past, for a clock that is set back while a cluster runs. */
const backdateMs = 3_600_000;

/** A certificate with its private key, both PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly privateKey: string;
}

export interface ClusterCertificates {
  /** PEM of the authority that signed all others; its key is thrown away. */
  readonly authority: string;
  readonly apiServer: KeyPair;
  readonly etcd: KeyPair;
  /** Clients of the API server by user, e.g. `system:kube-scheduler`. */
  readonly clients: Readonly<Record<ClientName, KeyPair>>;
  /** Kubelets by their node's name. */
  readonly nodes: Readonly<Record<string, KeyPair>>;
  /** Signs and checks service account tokens. */
  readonly serviceAccount: { readonly publicKey: string; readonly privateKey: string };
}

/** Whoever uses a cluster by its kubeconfig, in audit logs. */
export const adminUser = 'hourglass-admin';

/** Subjects as the API server reads them: CN is the user, O the groups. */
const clientSubjects = {
  admin: `O=system:masters,CN=${adminUser}`,
  'api-server': 'O=system:masters,CN=kube-apiserver',
  'controller-manager': 'CN=system:kube-controller-manager',
  scheduler: 'CN=system:kube-scheduler',
  kwok: 'O=system:masters,CN=kwok',
  'kube-proxy': 'CN=system:kube-proxy',
  coredns: 'O=system:masters,CN=coredns',
  'chaos-mesh': 'O=system:masters,CN=chaos-mesh',
} as const;
export type ClientName = keyof typeof clientSubjects;
export const clientNames = Object.keys(clientSubjects) as readonly ClientName[];

const dns = (value: string): x509.JsonGeneralName => ({ type: 'dns', value });
const ip = (value: string): x509.JsonGeneralName => ({ type: 'ip', value });
const loopbackNames = [ip('127.0.0.1'), dns('localhost')];
const serviceNames = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local'];

/** Makes all certificates of one cluster: EC P-256, valid for a year. @param nowMs milliseconds since the epoch */
export async function makeCertificates(nowMs: number, nodes: readonly string[] = []): Promise<ClusterCertificates> {
  const validity = { notBefore: new Date(nowMs - backdateMs), notAfter: new Date(nowMs + lifetimeMs) };
  const authorityKeys = await generateKeys();
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=hourglass-testbed',
    keys: authorityKeys,
    signingAlgorithm: algorithm,
    ...validity,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(authorityKeys.publicKey),
    ],
  });

  const issue = async (
    subject: string,
    usages: readonly x509.ExtendedKeyUsage[],
    names: readonly x509.JsonGeneralName[],
  ): Promise<KeyPair> => {
    const keys = await generateKeys();
    const certificate = await x509.X509CertificateGenerator.create({
      subject,
      issuer: authority.subject,
      publicKey: keys.publicKey,
      signingKey: authorityKeys.privateKey,
      signingAlgorithm: algorithm,
      ...validity,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([...usages]),
        await x509.AuthorityKeyIdentifierExtension.create(authorityKeys.publicKey),
        ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension([...names])] : []),
      ],
    });
    return { certificate: toPem(certificate.toString('pem')), privateKey: await exportPrivateKey(keys.privateKey) };
  };

  const client = async <Name extends string>(name: Name, subject: string) =>
    [name, await issue(subject, [x509.ExtendedKeyUsage.clientAuth], [])] as const;
  const serviceAccountKeys = await generateKeys();
  return {
    authority: toPem(authority.toString('pem')),
    apiServer: await issue(
      'CN=kube-apiserver',
      [x509.ExtendedKeyUsage.serverAuth],
      [...loopbackNames, ip('10.96.0.1'), ip(controlPlaneAddress), ...serviceNames.map(dns)],
    ),
    // etcd calls itself as a client when it looks at its own members.
    etcd: await issue('CN=etcd', [x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth], loopbackNames),
    clients: Object.fromEntries(await Promise.all(clientNames.map((name) => client(name, clientSubjects[name])))) as Record<
      ClientName,
      KeyPair
    >,
    nodes: Object.fromEntries(await Promise.all(nodes.map((name) => client(name, `O=system:nodes,CN=system:node:${name}`)))),
    serviceAccount: {
      publicKey: toPem(x509.PemConverter.encode(await webcrypto.subtle.exportKey('spki', serviceAccountKeys.publicKey), 'PUBLIC KEY')),
      privateKey: await exportPrivateKey(serviceAccountKeys.privateKey),
    },
  };
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

async function exportPrivateKey(key: webcrypto.CryptoKey): Promise<string> {
  return toPem(x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY'));
}

function toPem(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}
