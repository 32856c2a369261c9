import { App, CfnResource, Stack, TagManager } from 'aws-cdk-lib';

/** What every taggable resource carries, so that costs can be told apart. */
const REQUIRED = ['Project', 'Environment'];

/**
 * The taggable resources of all stacks whose template lacks a tag that is required, as `path (Type): tags`.
 *
 * Which resources are taggable, and in which property, CDK itself knows from the specification of CloudFormation: there
 * is no list to be kept.
 */
export function untagged(app: App, required: readonly string[] = REQUIRED): string[] {
  const assembly = app.synth();
  const bare: string[] = [];
  for (const construct of app.node.findAll()) {
    if (!CfnResource.isCfnResource(construct)) continue;
    const tags = TagManager.of(construct);
    if (tags === undefined) continue;
    const stack = Stack.of(construct);
    const { Resources } = assembly.getStackArtifact(stack.artifactId).template as {
      Resources: Record<string, { Properties?: Record<string, unknown> }>;
    };
    const rendered = Resources[stack.resolve(construct.logicalId) as string]?.Properties?.[property(tags)];
    const missing = required.filter((tag) => !keysOf(rendered).includes(tag));
    if (missing.length > 0) bare.push(`${construct.node.path} (${construct.cfnResourceType}): ${missing.join(', ')}`);
  }
  return bare;
}

/** How many resources could carry tags: a check that looks at none says nothing. */
export function taggable(app: App): number {
  return app.node.findAll().filter((one) => CfnResource.isCfnResource(one) && TagManager.of(one) !== undefined).length;
}

/** `tags` in CDK is `Tags` in the template. */
function property(tags: TagManager): string {
  return tags.tagPropertyName.charAt(0).toUpperCase() + tags.tagPropertyName.slice(1);
}

/** Tags are a list of keys and values, or a map, and a list may name its key in small letters. */
function keysOf(tags: unknown): string[] {
  if (Array.isArray(tags)) return tags.map((tag: Record<string, string>) => tag['Key'] ?? tag['key'] ?? '');
  return typeof tags === 'object' && tags !== null ? Object.keys(tags) : [];
}
