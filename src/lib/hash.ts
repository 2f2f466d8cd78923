/**
 * A 64-bit fingerprint as 16 hex digits, for names and labels. Pure plain JavaScript, so that the pure core runs anywhere.
 * It tells values apart that differ by accident; it is no defence against someone who looks for a collision.
 *
 * Two 32-bit FNV-1a lanes over the UTF-16 code units, each finished by a different multiply-xorshift mix.
 */
export function hashHex(text: string): string {
  let low = 0x811c9dc5;
  let high = 0xcbf29ce4;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    low = Math.imul(low ^ unit, 0x01000193);
    high = Math.imul(high ^ (unit + index), 0x85ebca6b);
  }
  return hex32(mix(low ^ (high >>> 16))) + hex32(mix(high ^ Math.imul(low, 0x9e3779b1)));
}

function mix(lane: number): number {
  let value = lane ^ (lane >>> 16);
  value = Math.imul(value, 0x7feb352d);
  value ^= value >>> 15;
  value = Math.imul(value, 0x846ca68b);
  return value ^ (value >>> 16);
}

function hex32(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}
