import { App } from 'aws-cdk-lib';
import { addStacks } from '../lib/app';
import { readConfig } from '../lib/config';

// The built-in check of templates takes four seconds of the five: `npm test` runs it instead of every deployment.
const app = new App({ builtinCloudFormationValidation: false });
addStacks(
  app,
  readConfig((key) => app.node.tryGetContext(key), process.env),
);
