/** The most that SageMaker takes of a script, in characters of its base64 form. */
export const LARGEST_SCRIPT = 16_384;

/** Assets where the script finds them. */
export interface StagedAsset {
  readonly name: string;
  /** `s3://bucket/prefix`, without a slash at its end. */
  readonly from: string;
}

/**
 * The script that SageMaker runs when an application starts: it brings the assets to `$ASSETS_DIR/<name>/`, then runs the
 * commands, in the order of the file, up to the first that fails.
 */
export function lifecycleScript(assets: readonly StagedAsset[], cmds: readonly string[]): string {
  return [
    '#!/bin/bash',
    '# Written by Tidegate from the file of the domain.',
    'set -e',
    'ASSETS_DIR="$(mktemp -d)"',
    'export ASSETS_DIR',
    ...assets.map(({ name, from }) => `aws s3 cp --recursive --only-show-errors '${from}/' "$ASSETS_DIR/${name}/"`),
    ...cmds,
    '',
  ].join('\n');
}

/** The longest place of an asset: a bucket's name of 63 characters, a prefix of 60, a digest. */
const LONGEST_PLACE = `s3://${'b'.repeat(63)}/${'p'.repeat(60)}/${'0'.repeat(32)}`;

/** How large a script can become, in characters of its base64 form, wherever its assets lie. */
export function scriptSize(assets: readonly string[], cmds: readonly string[]): number {
  const script = lifecycleScript(
    assets.map((name) => ({ name, from: LONGEST_PLACE })),
    // The longest of what placeholders stand for has 14 characters, `ap-southeast-2`; the shortest of them has ten.
    cmds.map((command) => command.replace(/\{\{(partition|region|account)\}\}/g, '0'.repeat(14))),
  );
  return Math.ceil(Buffer.byteLength(script) / 3) * 4;
}
