import { createHash } from 'node:crypto';

/** The first characters of the SHA-256 of a text, in hexadecimal. */
export function digest(text: string, length: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length);
}

/** A name in at most `most` characters; one that is cut carries a digest, so that two never become one. */
export function short(name: string, most: number): string {
  if (name.length <= most) return name;
  return `${name.slice(0, most - 7).replace(/-+$/, '')}-${digest(name, 6)}`;
}
