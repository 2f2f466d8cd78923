/** What a user gave cannot be used: the message says which argument, why, and what to give instead. The CLI knows it by its name. */
export class ArgumentError extends Error {
  override readonly name = 'ArgumentError';
}
