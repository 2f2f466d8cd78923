// Named, so that the bundler's view of this CommonJS package is the same as Node's; a module of its own, so that it can be loaded lazily.
export { LineCounter, parseDocument } from 'yaml';
