import { type Statement, deny } from './statement';

/** What opens something that belongs to one person. */
const OPEN_OWN = ['CreatePresignedDomainUrl', 'StartSession'];

/**
 * Denies to open another person's profile, or to tunnel into another person's space.
 *
 * An IAM user is known by the user name; everyone else (federated, assumed role) by the principal tag. One who has
 * neither opens nothing, and a profile or space without the tag, or with an empty one, is nobody's.
 *
 * @param tag key of the tag on profiles, spaces and principals.
 */
export function ownProfile(tag: string): Statement[] {
  const owner = `sagemaker:ResourceTag/${tag}`;
  return [
    // Only IAM users have a name. In the SCP both kinds of principals pass here, so each statement says whom it means.
    deny('OwnProfileOfUser', OPEN_OWN, {
      StringNotEquals: { [owner]: '${aws:username}' },
      Null: { 'aws:username': 'false' },
    }),
    deny('OwnProfileOfFederated', OPEN_OWN, {
      StringNotEquals: { [owner]: `\${aws:PrincipalTag/${tag}}` },
      Null: { 'aws:username': 'true', [`aws:PrincipalTag/${tag}`]: 'false' },
    }),
    // A variable without a value must not decide: who has no tag, or an empty one, is denied by this.
    deny('OwnProfileOfNobody', OPEN_OWN, {
      StringNotLike: { [`aws:PrincipalTag/${tag}`]: '?*' },
      Null: { 'aws:username': 'true' },
    }),
  ];
}

/**
 * Denies to change the tag by which profiles and spaces are known as somebody's, once they are made.
 *
 * `sagemaker:TaggingAction` is in requests that tag while creating; without it, it is AddTags itself. Letter case does
 * not count: condition keys have none, so `StudioUserId` would stand for `studiouserid`.
 */
export function ownProfileTagKept(tag: string): Statement[] {
  const conditions = { 'ForAnyValue:StringEqualsIgnoreCase': { 'aws:TagKeys': [tag] } };
  return [
    deny('OwnProfileTagKept', ['AddTags'], { ...conditions, Null: { 'sagemaker:TaggingAction': 'true' } }),
    deny('OwnProfileTagNotRemoved', ['DeleteTags'], conditions),
  ];
}
