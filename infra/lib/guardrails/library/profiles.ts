import { OPEN_STUDIO } from './actions';
import { type Statement, butFor, deny } from './statement';

/**
 * Denies to open another person's profile, or to tunnel into another person's space.
 *
 * An IAM user is known by the user name; everyone else (federated, assumed role) by the principal tag. One who has
 * neither opens nothing, and a profile or space without the tag, or with an empty one, is nobody's.
 *
 * @param tag key of the tag on profiles, spaces and principals.
 * @param openers ARNs of roles that open Studio for somebody, and need no name of their own; one that has a name, as the
 *   session of a person has, is bound by it all the same. `*` allowed.
 */
export function ownProfile(tag: string, openers: readonly string[] = []): Statement[] {
  const owner = `sagemaker:ResourceTag/${tag}`;
  return [
    // Only IAM users have a name. In the SCP both kinds of principals pass here, so each statement says whom it means.
    deny('OwnProfileOfUser', OPEN_STUDIO, {
      StringNotEquals: { [owner]: '${aws:username}' },
      Null: { 'aws:username': 'false' },
    }),
    deny('OwnProfileOfFederated', OPEN_STUDIO, {
      StringNotEquals: { [owner]: `\${aws:PrincipalTag/${tag}}` },
      Null: { 'aws:username': 'true', [`aws:PrincipalTag/${tag}`]: 'false' },
    }),
    // A variable without a value must not decide: who has no tag, or an empty one, is denied by this.
    deny('OwnProfileOfNobody', OPEN_STUDIO, {
      StringNotLike: { [`aws:PrincipalTag/${tag}`]: '?*' },
      Null: { 'aws:username': 'true' },
      ...butFor(openers),
    }),
  ];
}

/** Denies to change the tag by which profiles and spaces are known as somebody's, once they are made. */
export function ownProfileTagKept(tag: string): Statement[] {
  return tagKept('OwnProfileTag', tag);
}

/**
 * Denies to change a tag that access is decided by, once a resource is made.
 *
 * `sagemaker:TaggingAction` is in requests that tag while creating; without it, it is AddTags itself. Letter case does
 * not count: condition keys have none, so `StudioUserId` would stand for `studiouserid`.
 *
 * @param but ARNs of roles that may all the same; `*` allowed.
 */
export function tagKept(subject: string, tag: string, but: readonly string[] = []): Statement[] {
  const conditions = { 'ForAnyValue:StringEqualsIgnoreCase': { 'aws:TagKeys': [tag] }, ...butFor(but) };
  return [
    deny(`${subject}Kept`, ['AddTags'], { ...conditions, Null: { 'sagemaker:TaggingAction': 'true' } }),
    deny(`${subject}NotRemoved`, ['DeleteTags'], conditions),
  ];
}
