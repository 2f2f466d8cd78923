/** Trouble with an image that a user can act on: the message says what was being made, what stood in the way and what to do. */
export class ImageError extends Error {
  override readonly name = 'ImageError';
}
