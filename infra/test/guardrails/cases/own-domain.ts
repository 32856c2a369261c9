import { ACCOUNT } from '../simulator';
import { type Case, allows, denies } from './case';

const MADE = ['CreateUserProfile', 'CreateSpace', 'CreateApp'];
const USED = [
  'CreatePresignedDomainUrl',
  'StartSession',
  'UpdateUserProfile',
  'DeleteUserProfile',
  'UpdateSpace',
  'DeleteSpace',
  'DeleteApp',
];
const WHOSE = 'aws:PrincipalTag/DomainName';
const ASKED = 'aws:RequestTag/DomainName';
const THERE = 'sagemaker:ResourceTag/DomainName';
const KEYS = 'aws:TagKeys';
const red = { [WHOSE]: 'red' };
const as = (role: string) => ({ 'aws:PrincipalArn': `arn:aws:iam::${ACCOUNT}:role/${role}` });
const asked = (domain: string) => ({ [ASKED]: domain, [KEYS]: ['DomainName'] });

/** Who works in which domain. */
export const OWN_DOMAIN: Case[] = [
  ...denies('OwnDomainRequested', "with another domain's tag", MADE, { ...red, ...asked('blue') }),
  ...denies('OwnDomainRequested', 'without the tag', MADE, red),
  ...denies('OwnDomainRequested', 'with another tag', MADE, { ...red, 'aws:RequestTag/Team': 'red', [KEYS]: ['Team'] }),
  ...denies('OwnDomainRequested', 'the name in other letters', MADE, { ...red, ...asked('Red') }),
  ...denies('OwnDomainRequested', 'a longer name', MADE, { ...red, ...asked('red2') }),
  ...denies('OwnDomainRequested', 'a session of the sign-in that has a domain', MADE, {
    ...as('studio-access'),
    ...red,
    ...asked('blue'),
  }),
  ...allows('OwnDomainRequested', 'with the own tag', MADE, { ...red, ...asked('red') }),
  ...allows('OwnDomainRequested', 'by who has none: another statement decides', MADE, asked('red')),

  ...denies('OwnDomainUsed', "another domain's", USED, { ...red, [THERE]: 'blue' }),
  ...denies('OwnDomainUsed', 'what carries no tag', USED, red),
  ...denies('OwnDomainUsed', 'the name in other letters', USED, { ...red, [THERE]: 'Red' }),
  ...denies('OwnDomainUsed', 'a pattern in the tag', USED, { ...red, [THERE]: '*' }),
  ...allows('OwnDomainUsed', 'of the own domain', USED, { ...red, [THERE]: 'red' }),
  ...allows('OwnDomainUsed', 'by who has none: another statement decides', USED, { [THERE]: 'red' }),

  ...denies('OwnDomainOfNobody', 'with a tag, by who has none', MADE, asked('red')),
  ...denies('OwnDomainOfNobody', 'tagged, by who has none', USED, { [THERE]: 'red' }),
  ...denies('OwnDomainOfNobody', 'both tags are empty', USED, { [WHOSE]: '', [THERE]: '' }),
  ...denies('OwnDomainOfNobody', 'the variable itself as the tag', USED, { [THERE]: '${aws:PrincipalTag/DomainName}' }),
  ...allows('OwnDomainOfNobody', 'by who has one', [...MADE, ...USED], red),
  ...allows('OwnDomainOfNobody', 'by the sign-in', [...MADE, ...USED], as('studio-access')),
  ...allows('OwnDomainOfNobody', 'by who deploys', [...MADE, ...USED], as('cdk-deploy')),

  ...denies('OwnDomainTagKept', 'another domain', 'AddTags', { ...red, [KEYS]: ['DomainName'] }),
  ...denies('OwnDomainTagKept', 'among other tags, in other letters', 'AddTags', { [KEYS]: ['Team', 'domainname'] }),
  ...allows('OwnDomainTagKept', 'another tag', 'AddTags', { [KEYS]: ['Team'] }),
  ...MADE.flatMap((action) =>
    allows('OwnDomainTagKept', `in ${action}`, 'AddTags', {
      [KEYS]: ['DomainName'],
      'sagemaker:TaggingAction': action,
    }),
  ),
  ...allows('OwnDomainTagKept', 'by the sign-in', 'AddTags', { ...as('studio-access'), [KEYS]: ['DomainName'] }),
  ...allows('OwnDomainTagKept', 'by who deploys', 'AddTags', { ...as('cdk-deploy'), [KEYS]: ['DomainName'] }),
  ...denies('OwnDomainTagNotRemoved', 'of a profile', 'DeleteTags', { ...red, [KEYS]: ['DomainName'] }),
  ...allows('OwnDomainTagNotRemoved', 'another tag', 'DeleteTags', { [KEYS]: ['Team'] }),
  ...allows('OwnDomainTagNotRemoved', 'by the sign-in', 'DeleteTags', {
    ...as('studio-access'),
    [KEYS]: ['DomainName'],
  }),
  ...allows('OwnDomainTagNotRemoved', 'by who deploys', 'DeleteTags', { ...as('cdk-deploy'), [KEYS]: ['DomainName'] }),
];
