/** The libraries an ELF file of 64 bits, little-endian, asks the loader for (`DT_NEEDED`); undefined for any other file. */
export function neededLibraries(file: Buffer): readonly string[] | undefined {
  if (file.length < 64 || file.readUInt32BE(0) !== 0x7f454c46 || file[4] !== 2) return undefined;
  const at = (offset: number): number => Number(file.readBigUInt64LE(offset));
  const segments = Array.from({ length: file.readUInt16LE(56) }, (_, index) => {
    const start = at(32) + index * file.readUInt16LE(54);
    return { type: file.readUInt32LE(start), offset: at(start + 8), address: at(start + 16), bytes: at(start + 32) };
  });
  const dynamic = segments.find(({ type }) => type === 2);
  if (dynamic === undefined) return [];
  const tags = Array.from({ length: dynamic.bytes / 16 }, (_, index) => {
    const start = dynamic.offset + index * 16;
    return { tag: at(start), value: at(start + 8) };
  });
  const stringsAddress = tags.find(({ tag }) => tag === 5)?.value ?? 0;
  const loaded = segments.find(({ type, address, bytes }) => type === 1 && address <= stringsAddress && stringsAddress < address + bytes);
  const strings = stringsAddress - (loaded?.address ?? 0) + (loaded?.offset ?? 0);
  return tags.filter(({ tag }) => tag === 1).map(({ value }) => file.toString('latin1', strings + value, file.indexOf(0, strings + value)));
}
