import { App } from 'aws-cdk-lib';
import { addStacks } from '../lib/app';
import { readConfig } from '../lib/config';

// The built-in check of templates takes four seconds of the five: `npm test` runs it instead of every deployment.
const app = new App({ builtinCloudFormationValidation: false });
try {
  const given = Object.keys(app.node.getAllContext());
  addStacks(
    app,
    readConfig((key) => app.node.tryGetContext(key), process.env, given),
  );
} catch (error) {
  // What is wrong is the user's to mend, not to debug: the words without the stack, which TIDEGATE_TRACE brings back.
  if (process.env['TIDEGATE_TRACE']) throw error;
  console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
