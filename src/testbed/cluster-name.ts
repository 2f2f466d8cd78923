/** What to tell a user about a name that is refused. */
export const clusterNameRule = 'use lower case letters, digits and dashes, 40 at most';

/** A name is a folder's name and part of nothing else. Pure. */
export function isClusterName(name: string): boolean {
  return /^[a-z0-9][a-z0-9-]{0,39}$/.test(name);
}
