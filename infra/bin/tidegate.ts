import { App, Tags } from 'aws-cdk-lib';
import { readConfig } from '../lib/config';
import { OrchestratorStack } from '../lib/orchestrator-stack';

// The built-in check of templates takes four seconds of the five: `npm test` runs it instead of every deployment.
const app = new App({ builtinCloudFormationValidation: false });
const config = readConfig((key) => app.node.tryGetContext(key), process.env);

// Account and region stay open: one template serves every account, and the local cloud.
new OrchestratorStack(app, 'Tidegate', {
  config,
  description: 'Tidegate: event-driven orchestration of SageMaker pipelines',
});

Tags.of(app).add('Project', 'tidegate');
Tags.of(app).add('Environment', config.environment);
