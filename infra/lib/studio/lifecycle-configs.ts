import { Fn, Lazy } from 'aws-cdk-lib';
import type { RemovalPolicy } from 'aws-cdk-lib';
import * as sagemaker from 'aws-cdk-lib/aws-sagemaker';
import { Construct } from 'constructs';
import type { Assets } from './assets';
import { SCRIPT_APPS } from './config/domain';
import type { Domain, ScriptKey } from './config/domain';
import { digest, short } from './names';
import { lifecycleScript } from './script';
import { substituted } from './values';

export interface LifecycleConfigsProps {
  readonly domain: Domain;
  readonly prefix: string;
  readonly assets?: Assets;
  /** Of a configuration that goes with the stack; one that is replaced always goes. */
  readonly removalPolicy: RemovalPolicy;
}

/**
 * A lifecycle configuration for each script of the domain.
 *
 * SageMaker changes none in place. The name carries a digest of everything that it consists of, so that a new script comes
 * beside the old one; the domain is pointed to it; then CloudFormation removes the old one, and carries on if somebody's
 * profile still uses it or it is gone (docs/adr/0012-lifecycle-configurations-are-replaced.md).
 */
export class LifecycleConfigs extends Construct {
  private readonly configs = new Map<ScriptKey, sagemaker.CfnStudioLifecycleConfig>();

  constructor(scope: Construct, id: string, props: LifecycleConfigsProps) {
    super(scope, id);
    for (const { key, assets, cmds } of props.domain.scripts) {
      const staged = assets.map((asset) => ({ name: asset.name, ...placed(props.assets, asset) }));
      const appType = SCRIPT_APPS[key];
      const content = Fn.base64(lifecycleScript(staged, cmds.map(substituted)));
      const name = `${props.prefix}-${short(props.domain.name, 12)}-${appType}`;
      const config: sagemaker.CfnStudioLifecycleConfig = new sagemaker.CfnStudioLifecycleConfig(this, appType, {
        studioLifecycleConfigAppType: appType,
        studioLifecycleConfigContent: content,
        studioLifecycleConfigName: Lazy.uncachedString({
          // Tags too cannot be changed, and are known only when the whole app is.
          produce: (context) =>
            `${name}-${digest(JSON.stringify([context.resolve(content), config.cdkTagManager.tagValues()]), 8)}`,
        }),
      });
      config.applyRemovalPolicy(props.removalPolicy, { applyToUpdateReplacePolicy: false });
      for (const { after } of staged) config.node.addDependency(after);
      this.configs.set(key, config);
    }
  }

  arn(key: ScriptKey): string | undefined {
    return this.configs.get(key)?.attrStudioLifecycleConfigArn;
  }

  /** By the kind of application. */
  arns(): [string, string][] {
    return [...this.configs].map(([key, config]) => [SCRIPT_APPS[key], config.attrStudioLifecycleConfigArn]);
  }
}

function placed(assets: Assets | undefined, asset: Parameters<Assets['place']>[0]): ReturnType<Assets['place']> {
  if (assets === undefined) throw new Error(`nothing places the asset \`${asset.name}\``);
  return assets.place(asset);
}
