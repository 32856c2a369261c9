import { JOBS } from './actions';
import { type Statement, deny } from './statement';

/**
 * Denies user profiles without every one of these tags.
 *
 * Each tag is a statement of its own: keys of one statement must all be missing before it denies. The tag must have a
 * value too: an empty one would attribute nothing.
 */
export function profileTags(keys: readonly string[]): Statement[] {
  return required('ProfileTag', ['CreateUserProfile'], keys);
}

/** Denies jobs without every one of these tags, each with a value. */
export function jobTags(keys: readonly string[]): Statement[] {
  return required('JobTag', JOBS, keys);
}

function required(sid: string, actions: readonly string[], keys: readonly string[]): Statement[] {
  const sids = new Map<string, number>();
  return keys.map((key) => {
    const name = sid + key.replace(/(?:^|[^A-Za-z0-9]+)([A-Za-z0-9])/g, (_, letter: string) => letter.toUpperCase());
    const plain = name.replace(/[^A-Za-z0-9]/g, '');
    const seen = (sids.get(plain) ?? 0) + 1;
    sids.set(plain, seen);
    // A negated operator matches a missing key; `?*` is any text but the empty one.
    const conditions = { StringNotLike: { [`aws:RequestTag/${key}`]: '?*' } };
    return deny(seen > 1 ? `${plain}${seen}` : plain, actions, conditions);
  });
}
