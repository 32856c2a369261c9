import * as iam from 'aws-cdk-lib/aws-iam';
import type { Ground } from '../network/stack';
import type { Access } from './config/access';

type Conditions = Record<string, Record<string, unknown>>;

/** From where Studio may be opened. */
export interface Places {
  /** Each is enough: conditions of an Allow. One that is empty is anywhere. */
  readonly admitted: readonly Conditions[];
  /** What is denied whatever is allowed: conditions of a Deny each. */
  readonly refused: readonly Conditions[];
  /** Where assertions may be handed to AWS from; absent: anywhere. */
  readonly verifying?: Conditions;
  readonly warnings: readonly string[];
}

/** Endpoints by service: those that this app made, and those that the file names. */
function endpointsOf(access: Access, ground: Ground | undefined) {
  const both = (service: string, given: readonly string[]) => [
    ...new Set([...(ground?.endpoints[service] === undefined ? [] : [ground.endpoints[service]]), ...given]),
  ];
  return {
    executeApi: both('execute-api', access.vpcEndpoints.executeApi),
    sagemaker: both('sagemaker.api', access.vpcEndpoints.sagemaker),
    studio: both('studio', access.vpcEndpoints.studio),
    sts: both('sts', access.vpcEndpoints.sts),
  };
}

/**
 * From where Studio may be opened, as far as it can be said of the function's role.
 *
 * SageMaker holds these conditions against two callers: the function that asks for the URL, and every later request of the
 * browser that opened it (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreatePresignedDomainUrl.html). So a
 * condition has to be true of both, or there is one for each:
 * - a function inside calls through the endpoint of `sagemaker.api`, and has no public address;
 * - a function outside comes from any address of Lambda's, through no endpoint: nothing about the network is true of it that
 *   is not true of everybody, so there is no condition;
 * - a browser inside comes through the endpoint of Studio; one on the internet has an address.
 */
export function studioPlaces(access: Access, inside: boolean, ground: Ground | undefined): Places {
  const { sagemaker, studio, sts } = endpointsOf(access, ground);
  const { vpcs, addresses, file } = access;
  const warnings: string[] = [];
  if (!inside) {
    if (access.network === 'private') {
      warnings.push(
        `${file}: \`network\` is \`private\`, and the function is outside: the URL opens from anywhere. Set \`functionsInVpc\` to bind Studio to the endpoints`,
      );
    } else if (addresses.length > 0) {
      warnings.push(
        `${file}: \`addresses\` bounds who reaches the API; Studio's URL opens from anywhere, because the function has no address of yours. Set \`functionsInVpc\` to bind it`,
      );
    }
    return { admitted: [{}], refused: [], warnings };
  }
  if (vpcs.length === 0 && sagemaker.length === 0) {
    throw new Error(
      `${file}: the function runs in the VPC (\`functionsInVpc\`), through an endpoint that is not known: name it in \`vpcEndpoints.sagemaker\`, or name \`vpcs\``,
    );
  }
  const verifying = bound({ StringEquals: { 'aws:SourceVpce': sts } }, { StringEquals: { 'aws:SourceVpc': vpcs } });
  if (access.network === 'regional' && addresses.length === 0) {
    warnings.push(
      `${file}: \`network\` is \`regional\` without \`addresses\`: Studio's URL opens from anywhere. Name the blocks that people come from`,
    );
    return { admitted: [{}], refused: [], verifying, warnings };
  }
  if (access.network === 'private' && vpcs.length === 0 && studio.length === 0) {
    throw new Error(
      `${file}: people open Studio through an endpoint that is not known: name it in \`vpcEndpoints.studio\`, or name \`vpcs\``,
    );
  }
  const through = [...sagemaker, ...studio];
  const onTheInternet = access.network === 'regional';
  const admitted: Conditions[] = [
    ...(through.length > 0 ? [{ StringEquals: { 'aws:SourceVpce': through } }] : []),
    ...(vpcs.length > 0 ? [{ StringEquals: { 'aws:SourceVpc': vpcs } }] : []),
    ...(onTheInternet ? [{ IpAddress: { 'aws:SourceIp': addresses } }] : []),
  ];
  // Of negated operators: true where the key is missing, too.
  const elsewhere: Conditions = {
    StringNotEquals: {
      ...(through.length > 0 && { 'aws:SourceVpce': through }),
      ...(vpcs.length > 0 && { 'aws:SourceVpc': vpcs }),
    },
    ...(onTheInternet && { NotIpAddress: { 'aws:SourceIp': addresses } }),
  };
  const refused: Conditions[] = [elsewhere];
  if (!onTheInternet && addresses.length > 0 && studio.length > 0) {
    // Of browsers alone: the function has an address of its subnets.
    refused.push({
      StringEquals: { 'aws:SourceVpce': studio },
      NotIpAddress: { 'aws:VpcSourceIp': addresses },
    });
  }
  return { admitted, refused, verifying, warnings };
}

/** The first of these whose values are not empty. */
function bound(...conditions: Record<string, Record<string, readonly string[]>>[]): Conditions | undefined {
  return conditions.find((condition) => Object.values(condition).some((keys) => Object.values(keys).flat().length > 0));
}

/** Who may reach the API, and what a person should know; without a policy, everybody. */
export function apiPolicy(
  access: Access,
  ground: Ground | undefined,
): { policy?: iam.PolicyDocument; vpcEndpointIds: string[]; warnings: string[] } {
  const { executeApi } = endpointsOf(access, ground);
  const { vpcs, addresses, file } = access;
  const anybody = [new iam.AnyPrincipal()];
  const whole = { principals: anybody, actions: ['execute-api:Invoke'], resources: ['execute-api:/*'] };
  const deny = (sid: string, conditions: Conditions) =>
    new iam.PolicyStatement({ sid, effect: iam.Effect.DENY, ...whole, conditions });
  const allow = new iam.PolicyStatement({ sid: 'WhoeverIsNotDenied', ...whole });
  if (access.network === 'regional') {
    if (addresses.length === 0) {
      const warning = `${file}: the API is open to the internet: name \`addresses\` that people come from, or set \`network: private\``;
      return { vpcEndpointIds: [], warnings: [warning] };
    }
    const statements = [deny('OtherAddresses', { NotIpAddress: { 'aws:SourceIp': addresses } }), allow];
    return { policy: new iam.PolicyDocument({ statements }), vpcEndpointIds: [], warnings: [] };
  }
  if (executeApi.length === 0 && vpcs.length === 0) {
    throw new Error(
      `${file}: a private API is reached through an endpoint that is not known: deploy with \`network=new\`, name it in \`vpcEndpoints.executeApi\`, or name \`vpcs\``,
    );
  }
  const statements = [
    deny('OtherWays', {
      StringNotEquals: {
        ...(executeApi.length > 0 && { 'aws:SourceVpce': executeApi }),
        ...(vpcs.length > 0 && { 'aws:SourceVpc': vpcs }),
      },
    }),
    ...(addresses.length > 0 ? [deny('OtherAddresses', { NotIpAddress: { 'aws:VpcSourceIp': addresses } })] : []),
    allow,
  ];
  return { policy: new iam.PolicyDocument({ statements }), vpcEndpointIds: executeApi, warnings: [] };
}
