import { Aws, Duration, Fn } from 'aws-cdk-lib';
import type { RemovalPolicy } from 'aws-cdk-lib';
import * as cognito from 'aws-cdk-lib/aws-cognito';
import { Construct } from 'constructs';
import { digest } from '../studio/names';
import type { Values } from '../studio/values';
import type { AccessDomain, Cognito } from './config/access';

/** What an access token has to be for. */
const SCOPE = 'studio.enter';

/** How long a token lasts: it is exchanged for a URL at once, by people as by programs. */
const TOKEN = Duration.minutes(15);

export interface UserPoolProps {
  readonly prefix: string;
  readonly cognito: Cognito;
  readonly domains: readonly AccessDomain[];
  readonly values: Values;
  /** Where the hosted pages send people back to. */
  readonly callbackUrl: string;
  readonly removalPolicy: RemovalPolicy;
  readonly deletionProtection: boolean;
}

/** People by invitation, in a group for each domain, or from an identity provider that the pool trusts. */
export class UserPool extends Construct {
  readonly pool: cognito.UserPool;
  readonly client: cognito.UserPoolClient;
  /** As tokens and OAuth requests name it. */
  readonly scope: string;
  /** Of the hosted pages. */
  readonly signInUrl: string;

  constructor(scope: Construct, id: string, props: UserPoolProps) {
    super(scope, id);
    const { prefix } = props;
    const given = props.cognito;
    this.pool = new cognito.UserPool(this, 'Pool', {
      userPoolName: `${prefix}-access`,
      selfSignUpEnabled: false,
      signInAliases: { username: true, email: true },
      signInCaseSensitive: false,
      autoVerify: { email: true },
      passwordPolicy: {
        minLength: 14,
        requireDigits: true,
        requireLowercase: true,
        requireSymbols: true,
        requireUppercase: true,
        tempPasswordValidity: Duration.days(3),
      },
      mfa: given.mfa === 'required' ? cognito.Mfa.REQUIRED : cognito.Mfa.OPTIONAL,
      mfaSecondFactor: { otp: true, sms: false },
      accountRecovery: cognito.AccountRecovery.EMAIL_ONLY,
      deletionProtection: props.deletionProtection,
      removalPolicy: props.removalPolicy,
    });

    const enter = new cognito.ResourceServerScope({ scopeName: SCOPE, scopeDescription: 'Enter SageMaker Studio' });
    const server = this.pool.addResourceServer('Server', { identifier: prefix, scopes: [enter] });
    this.scope = `${prefix}/${SCOPE}`;

    const provider = this.federate(given);
    this.client = this.pool.addClient('Client', {
      userPoolClientName: `${prefix}-access`,
      generateSecret: false,
      oAuth: {
        flows: { authorizationCodeGrant: true },
        scopes: [cognito.OAuthScope.OPENID, cognito.OAuthScope.resourceServer(server, enter)],
        callbackUrls: [props.callbackUrl],
      },
      supportedIdentityProviders: [
        cognito.UserPoolClientIdentityProvider.COGNITO,
        ...(provider === undefined
          ? []
          : [cognito.UserPoolClientIdentityProvider.custom(given.federation?.name ?? '')]),
      ],
      preventUserExistenceErrors: true,
      enableTokenRevocation: true,
      accessTokenValidity: TOKEN,
      idTokenValidity: TOKEN,
      refreshTokenValidity: Duration.hours(1),
      authSessionValidity: Duration.minutes(3),
    });
    if (provider !== undefined) this.client.node.addDependency(provider);

    this.signInUrl = this.hostedPages(props);
    for (const domain of props.domains) this.group(domain);
    if (given.invite !== undefined) this.invite(given.invite, props.domains);
  }

  /** The group whose members enter the domain. */
  private group(domain: AccessDomain): void {
    new cognito.CfnUserPoolGroup(this, `Group-${digest(domain.group, 8)}`, {
      userPoolId: this.pool.userPoolId,
      groupName: domain.group,
      description: `Enters the Studio domain ${domain.name}`,
    });
  }

  private hostedPages(props: UserPoolProps): string {
    const { customDomain, domainPrefix } = props.cognito;
    if (customDomain !== undefined) {
      new cognito.CfnUserPoolDomain(this, 'Domain', {
        userPoolId: this.pool.userPoolId,
        domain: customDomain.name,
        customDomainConfig: { certificateArn: props.values.text(customDomain.certificate) },
      });
      return `https://${customDomain.name}`;
    }
    const name = domainPrefix ?? Fn.join('-', [props.prefix, Aws.ACCOUNT_ID]);
    new cognito.CfnUserPoolDomain(this, 'Domain', { userPoolId: this.pool.userPoolId, domain: name });
    return `https://${name}.auth.${Aws.REGION}.amazoncognito.com`;
  }

  /** Cognito makes a password for once and sends it: none is ever in a template, a context or an output. */
  private invite(person: NonNullable<Cognito['invite']>, domains: readonly AccessDomain[]): void {
    const user = new cognito.CfnUserPoolUser(this, 'Invited', {
      userPoolId: this.pool.userPoolId,
      username: person.name,
      desiredDeliveryMediums: ['EMAIL'],
      userAttributes: [
        { name: 'email', value: person.mail },
        { name: 'email_verified', value: 'true' },
      ],
    });
    const domain = domains.find(({ name }) => name === person.domain);
    const membership = new cognito.CfnUserPoolUserToGroupAttachment(this, 'InvitedGroup', {
      userPoolId: this.pool.userPoolId,
      username: user.ref,
      groupName: domain?.group ?? person.domain,
    });
    membership.node.addDependency(this.node.findChild(`Group-${digest(domain?.group ?? person.domain, 8)}`));
  }

  private federate({ federation }: Cognito): cognito.CfnUserPoolIdentityProvider | undefined {
    if (federation === undefined) return undefined;
    return new cognito.CfnUserPoolIdentityProvider(this, 'Provider', {
      userPoolId: this.pool.userPoolId,
      providerName: federation.name,
      providerType: 'SAML',
      providerDetails: { MetadataFile: federation.metadata, IDPSignout: 'false' },
      attributeMapping: { ...federation.attributes },
    });
  }
}
