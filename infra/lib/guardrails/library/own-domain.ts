import { OPEN_STUDIO } from './actions';
import { tagKept } from './profiles';
import { type Conditions, type Statement, butFor, deny } from './statement';

/** What is made in a domain, with tags. */
const MADE = ['CreateUserProfile', 'CreateSpace', 'CreateApp'];

/** What uses, changes or ends what a domain holds. */
const USED = [...OPEN_STUDIO, 'UpdateUserProfile', 'DeleteUserProfile', 'UpdateSpace', 'DeleteSpace', 'DeleteApp'];

/**
 * Denies to make anything but with the tag of the own domain, and to use anything that carries another's, or none.
 *
 * The principal's tag is that of its session, or of its role: an execution role that carries the domain's name is bound
 * to it. A principal without the tag, or with an empty one, is of no domain and does none of this.
 *
 * Limit: whoever makes a profile says in the request which domain it is made in, and no condition key tells: give the
 * right to make profiles and spaces by the domain's id in the resource, as the stacks of domains do.
 *
 * @param tag key of the tag on principals, profiles, spaces and applications; its value is the domain's name.
 * @param administrators ARNs of roles that work for every domain, and so need no tag: who deploys, who opens Studio for
 *   others; one that has a tag is bound by it. `*` allowed.
 */
export function ownDomain(tag: string, administrators: readonly string[]): Statement[] {
  const whose = `aws:PrincipalTag/${tag}`;
  const another = (key: string): Conditions => ({
    StringNotEquals: { [`${key}/${tag}`]: `\${aws:PrincipalTag/${tag}}` },
    // A variable without a value must not decide: the third statement does.
    Null: { [whose]: 'false' },
  });
  return [
    deny('OwnDomainRequested', MADE, another('aws:RequestTag')),
    deny('OwnDomainUsed', USED, another('sagemaker:ResourceTag')),
    deny('OwnDomainOfNobody', [...MADE, ...USED], { StringNotLike: { [whose]: '?*' }, ...butFor(administrators) }),
  ];
}

/** Denies to change the tag that says which domain something belongs to, once it is made. */
export function ownDomainTagKept(tag: string, administrators: readonly string[]): Statement[] {
  return tagKept('OwnDomainTag', tag, administrators);
}
