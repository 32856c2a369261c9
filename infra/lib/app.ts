import { App, Tags } from 'aws-cdk-lib';
import type { Stack } from 'aws-cdk-lib';
import { readAccess } from './access/config/read';
import { AccessStack } from './access/stack';
import type { Config } from './config';
import { readGuardrails } from './guardrails/config/guardrails';
import { ServiceControlPoliciesStack } from './guardrails/service-control-policies';
import { GuardrailsStack } from './guardrails/stack';
import { NetworkStack } from './network/stack';
import { OrchestratorStack } from './orchestrator/stack';
import { StorageStack } from './storage/stack';
import { readDomains } from './studio/config/read';
import { StudioStack, studioStackName } from './studio/stack';

/** The stacks that a configuration asks for. */
export interface Stacks {
  readonly storage: StorageStack;
  readonly network?: NetworkStack;
  readonly orchestrator: OrchestratorStack;
  readonly guardrails?: GuardrailsStack;
  /** For the organisation's management account. */
  readonly serviceControlPolicies?: ServiceControlPoliciesStack;
  /** One for each domain. */
  readonly studios: readonly StudioStack[];
  /** Who may enter Studio. */
  readonly access?: AccessStack;
}

/**
 * Puts the stacks together. Account and region stay open: one template serves every account, and the local cloud.
 *
 * What holds anything (storage) and what everything stands on (network) come first; the others may come and go.
 */
export function addStacks(app: App, config: Config): Stacks {
  const storage = new StorageStack(app, 'TidegateStorage', {
    config,
    description: 'Tidegate: buckets and customer keys',
  });
  const entering = config.access === undefined ? undefined : readAccess(config.access);
  const network =
    config.network &&
    new NetworkStack(app, 'TidegateNetwork', {
      config,
      choice: config.network,
      logsKey: storage.logsKey,
      access: entering && {
        privately: entering.network === 'private',
        byAws: entering.saml?.verify === 'aws',
        addresses: entering.addresses,
      },
      description: 'Tidegate: isolated subnets and the ways out of them',
    });
  const orchestrator = new OrchestratorStack(app, 'Tidegate', {
    config,
    storage,
    ground: network?.ground,
    description: 'Tidegate: event-driven orchestration of SageMaker pipelines',
  });
  const allowed = config.guardrails === undefined ? undefined : readGuardrails(config.guardrails);
  const guardrails =
    allowed !== undefined || config.budget !== undefined
      ? new GuardrailsStack(app, 'TidegateGuardrails', {
          config,
          guardrails: allowed,
          description: 'Tidegate: guardrails, roles of people, budget',
        })
      : undefined;
  if (config.organization && allowed?.organization === undefined) {
    throw new Error('context `organization` needs a file `guardrails` that names `organization.targets`');
  }
  const serviceControlPolicies =
    config.organization && allowed !== undefined
      ? new ServiceControlPoliciesStack(app, 'TidegateServiceControlPolicies', {
          config,
          guardrails: allowed,
          description: 'Tidegate: guardrails of an organisation, for its management account',
        })
      : undefined;
  const studios = readDomains(config.domains).map((domain) => {
    const studio = new StudioStack(app, studioStackName(domain), {
      config,
      domain,
      logsKey: storage.logsKey,
      accessLogs: storage.accessLogs,
      description: `Tidegate: the Studio domain ${domain.name}`,
    });
    // A domain's file may refer to what the network wrote: `ssm:/<prefix>/network/…`.
    if (network !== undefined) studio.addStackDependency(network);
    return studio;
  });
  const access =
    entering &&
    new AccessStack(app, 'TidegateAccess', {
      config,
      access: entering,
      storage,
      ground: network?.ground,
      description: 'Tidegate: who may enter Studio, and how',
    });
  // Its file may refer to what a domain wrote: `ssm:/<prefix>/studio/…`.
  for (const studio of studios) access?.addStackDependency(studio);
  Tags.of(app).add('Project', 'tidegate');
  Tags.of(app).add('Environment', config.environment);
  return { storage, network, orchestrator, guardrails, serviceControlPolicies, studios, access };
}

/** All of them, in the order of their making. */
export function all(stacks: Stacks): Stack[] {
  return Object.values(stacks)
    .flat()
    .filter((stack) => stack !== undefined) as Stack[];
}
