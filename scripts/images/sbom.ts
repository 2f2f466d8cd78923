import { createHash } from 'node:crypto';
import { imageTime } from '../../src/images/layer.ts';
import type { Software } from './software.ts';

interface SpdxPackage {
  readonly SPDXID: string;
  readonly name: string;
  readonly versionInfo: string;
  readonly [field: string]: unknown;
}

/** A bill of materials in SPDX 2.3. */
export interface Sbom {
  readonly spdxVersion: 'SPDX-2.3';
  readonly documentNamespace: string;
  readonly packages: readonly SpdxPackage[];
  readonly relationships: readonly {
    readonly spdxElementId: string;
    readonly relationshipType: string;
    readonly relatedSpdxElement: string;
  }[];
  readonly [field: string]: unknown;
}

/** What is in an image. The same parts give the same bytes: its time is 1970, its namespace a hash. Pure. @see https://spdx.github.io/spdx-spec/v2.3/ */
export function buildSbom(image: Software, parts: readonly Software[]): Sbom {
  const [described, ...contained] = [image, ...parts].map(buildPackage);
  const id = described?.SPDXID ?? '';
  const relation = (spdxElementId: string, relationshipType: string, relatedSpdxElement: string) => ({
    spdxElementId,
    relationshipType,
    relatedSpdxElement,
  });
  const packages = [{ ...(described as SpdxPackage), primaryPackagePurpose: 'CONTAINER' }, ...contained];
  const hash = createHash('sha256').update(JSON.stringify(packages)).digest('hex');
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: `${image.name}-${image.version}`,
    documentNamespace: `urn:sha256:${hash}`,
    creationInfo: { created: imageTime.toISOString().replace('.000', ''), creators: ['Tool: hourglass-operator npm run image'] },
    packages,
    relationships: [relation('SPDXRef-DOCUMENT', 'DESCRIBES', id), ...contained.map(({ SPDXID }) => relation(id, 'CONTAINS', SPDXID))],
  };
}

function buildPackage({ name, version, purl, licence, checksum }: Software): SpdxPackage {
  const [kind = ''] = purl.replace('pkg:', '').split('/');
  return {
    SPDXID: `SPDXRef-${kind}-${name}-${version}`.replace(/[^\w.-]|_/g, '-'),
    name,
    versionInfo: version,
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    licenseConcluded: 'NOASSERTION',
    licenseDeclared: licence ?? 'NOASSERTION',
    copyrightText: 'NOASSERTION',
    externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl }],
    ...(checksum === undefined ? {} : { checksums: [{ algorithm: checksum.algorithm, checksumValue: checksum.hex }] }),
  };
}
