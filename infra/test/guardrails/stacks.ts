import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { App, type Stack, Tags } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { type Config, readConfig } from '../../lib/config';
import { type Guardrails, parseGuardrails } from '../../lib/guardrails/config/guardrails';
import { ServiceControlPoliciesStack } from '../../lib/guardrails/service-control-policies';
import { GuardrailsStack } from '../../lib/guardrails/stack';

const infra = join(__dirname, '..', '..');
const flags = (JSON.parse(readFileSync(join(infra, 'cdk.json'), 'utf8')) as { context: Record<string, unknown> })
  .context;
const scratch = mkdtempSync(join(tmpdir(), 'tidegate-guardrails-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
let apps = 0;

/** The example that is published. */
export const EXAMPLE = readFileSync(join(infra, 'guardrails', 'example.yaml'), 'utf8');

/** The stacks of this file of guardrails (or of none), as the app makes them. */
export function makeGuardrails(
  yaml: string | undefined,
  context: Record<string, unknown> = {},
): { app: App; account: GuardrailsStack; organization?: ServiceControlPoliciesStack; outdir: string } {
  const outdir = join(scratch, `out-${apps++}`);
  const app = new App({ builtinCloudFormationValidation: false, context: { ...flags, ...context }, outdir });
  const config: Config = readConfig((key) => app.node.tryGetContext(key), {});
  const guardrails: Guardrails | undefined = yaml === undefined ? undefined : parseGuardrails('guardrails.yaml', yaml);
  const account = new GuardrailsStack(app, 'TidegateGuardrails', { config, guardrails });
  const organization =
    guardrails?.organization &&
    new ServiceControlPoliciesStack(app, 'TidegateServiceControlPolicies', { config, guardrails });
  Tags.of(app).add('Project', 'tidegate');
  Tags.of(app).add('Environment', config.environment);
  return { app, account, organization, outdir };
}

export function resources(stack: Stack): Record<string, any> {
  return Template.fromStack(stack).toJSON()['Resources'] ?? {};
}
