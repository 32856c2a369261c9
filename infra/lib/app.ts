import { App, Tags } from 'aws-cdk-lib';
import type { Stack } from 'aws-cdk-lib';
import type { Config } from './config';
import { NetworkStack } from './network/stack';
import { OrchestratorStack } from './orchestrator/stack';
import { StorageStack } from './storage/stack';

/** The stacks that a configuration asks for. */
export interface Stacks {
  readonly storage: StorageStack;
  readonly network?: NetworkStack;
  readonly orchestrator: OrchestratorStack;
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
  const network =
    config.network &&
    new NetworkStack(app, 'TidegateNetwork', {
      config,
      choice: config.network,
      logsKey: storage.logsKey,
      description: 'Tidegate: isolated subnets and the ways out of them',
    });
  const orchestrator = new OrchestratorStack(app, 'Tidegate', {
    config,
    storage,
    ground: network?.ground,
    description: 'Tidegate: event-driven orchestration of SageMaker pipelines',
  });
  Tags.of(app).add('Project', 'tidegate');
  Tags.of(app).add('Environment', config.environment);
  return { storage, network, orchestrator };
}

/** All of them, in the order of their making. */
export function all(stacks: Stacks): Stack[] {
  return Object.values(stacks)
    .flat()
    .filter((stack) => stack !== undefined) as Stack[];
}
