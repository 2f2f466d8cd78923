import { createPrivateKey, sign, verify, X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ClusterCertificates, clientNames, makeCertificates } from '../../../src/testbed/certificates.ts';

const nowMs = Date.UTC(2026, 0, 1);
let certificates: ClusterCertificates;
beforeAll(async () => {
  certificates = await makeCertificates(nowMs);
});

describe('the certificates of a cluster', () => {
  it('are signed by an authority that may sign, and fit their keys', () => {
    const authority = new X509Certificate(certificates.authority);
    expect(authority.ca).toBe(true);
    for (const pair of [certificates.apiServer, certificates.etcd, ...Object.values(certificates.clients)]) {
      const certificate = new X509Certificate(pair.certificate);
      expect(certificate.checkIssued(authority)).toBe(true);
      expect(certificate.verify(authority.publicKey)).toBe(true);
      expect(certificate.checkPrivateKey(createPrivateKey(pair.privateKey))).toBe(true);
      expect(certificate.ca).toBe(false);
    }
  });

  it('hold from an hour ago for a year', () => {
    const certificate = new X509Certificate(certificates.apiServer.certificate);
    expect(Date.parse(certificate.validFrom)).toBe(nowMs - 3_600_000);
    expect(Date.parse(certificate.validTo)).toBe(nowMs + 365 * 86_400_000);
  });

  it.each(['127.0.0.1', '10.96.0.1'])('let the API server answer as %s', (address) => {
    expect(new X509Certificate(certificates.apiServer.certificate).checkIP(address)).toBe(address);
  });

  it.each(['localhost', 'kubernetes.default.svc'])('let the API server answer as %s', (host) => {
    expect(new X509Certificate(certificates.apiServer.certificate).checkHost(host)).toBe(host);
  });

  it('give each client a user of its own, and only those all rights that play a part of the machine', () => {
    const subjects = clientNames.map((name) => new X509Certificate(certificates.clients[name].certificate).subject);
    expect(subjects).toEqual([
      'O=system:masters\nCN=hourglass-admin',
      'O=system:masters\nCN=kube-apiserver',
      'CN=system:kube-controller-manager',
      'CN=system:kube-scheduler',
      'O=system:masters\nCN=kwok',
      'CN=system:kube-proxy',
      'O=system:masters\nCN=coredns',
      'O=system:masters\nCN=chaos-mesh',
    ]);
  });

  it('make a kubelet the user that the API server knows for its node, and no other', async () => {
    const { nodes } = await makeCertificates(nowMs, ['n1', 'n2']);
    expect(Object.values(nodes).map(({ certificate }) => new X509Certificate(certificate).subject)).toEqual([
      'O=system:nodes\nCN=system:node:n1',
      'O=system:nodes\nCN=system:node:n2',
    ]);
  });

  it('check service account tokens with the key that goes with the signing key', () => {
    const { privateKey, publicKey } = certificates.serviceAccount;
    const text = Buffer.from('token');
    expect(verify('sha256', text, publicKey, sign('sha256', text, privateKey))).toBe(true);
  });

  it('never repeat', async () => {
    const other = await makeCertificates(nowMs);
    expect(new X509Certificate(other.authority).fingerprint256).not.toBe(new X509Certificate(certificates.authority).fingerprint256);
  });
});
