import { type Architecture, nodePackage, type Pins } from './pins.ts';

/** Something in an image that has a version of its own: a row of its bill of materials. */
export interface Software {
  readonly name: string;
  readonly version: string;
  /** https://github.com/package-url/purl-spec */
  readonly purl: string;
  /** SPDX expression, where its package says one. */
  readonly licence?: string;
  readonly checksum?: { readonly algorithm: 'SHA256' | 'SHA512'; readonly hex: string };
}

export function debianSoftware({ debian }: Pins, architecture: Architecture): readonly Software[] {
  return debian.packages.map(({ name, version, files }) => ({
    name,
    version,
    purl: `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${architecture}&distro=${debian.release}`,
    checksum: { algorithm: 'SHA256', hex: files[architecture].sha256 },
  }));
}

export function nodeSoftware({ node }: Pins, architecture: Architecture): Software {
  const hex = Buffer.from(node.integrity[architecture].replace(/^sha512-/, ''), 'base64').toString('hex');
  const name = nodePackage(architecture);
  return { name, version: node.version, purl: `pkg:npm/${name}@${node.version}`, licence: 'MIT', checksum: { algorithm: 'SHA512', hex } };
}
