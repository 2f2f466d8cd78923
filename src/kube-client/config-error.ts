/** A configuration that names no usable cluster. The message says which file or entry, what is wrong, and what to do; it never holds content of the file. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}
