import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

/** MDAA's sample files, which lie in `samples/` as they are published. */
export const SAMPLES = ['minimal', 'comprehensive', 'sso'] as const;

export type Sample = (typeof SAMPLES)[number];

/** The example that people copy. */
export const EXAMPLE = join(__dirname, '..', '..', 'studio', 'example.yaml');

export const scratch = mkdtempSync(join(tmpdir(), 'tidegate-studio-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

let folders = 0;

/** A new folder. */
export function newFolder(): string {
  const folder = join(scratch, `files-${folders++}`);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** A folder with MDAA's samples, and beside them the assets that one of them names. */
export function samplesFolder(): string {
  const folder = newFolder();
  cpSync(join(__dirname, 'samples'), folder, { recursive: true });
  mkdirSync(join(folder, 'testing_asset_dir', '__pycache__'), { recursive: true });
  writeFileSync(join(folder, 'testing_asset_dir', 'test.sh'), 'echo "assets are here"\n');
  writeFileSync(join(folder, 'testing_asset_dir', 'left-out.pyc'), 'compiled\n');
  writeFileSync(join(folder, 'testing_asset_dir', '__pycache__', 'a'), 'compiled\n');
  return folder;
}

export const samples = samplesFolder();

export function sampleFile(name: Sample, folder = samples): string {
  return join(folder, `sample-config-${name}.yaml`);
}

/** The ids in the samples, which are none, and ids as EC2 makes them: a check of templates looks at their form. */
const IDS: Readonly<Record<string, string>> = {
  'vpcId: vpc-id': 'vpcId: vpc-0123456789abcdef0',
  '- subnet-id': '- subnet-0123456789abcdef0',
  'sg-test12345': 'sg-0123456789abcdef0',
  'sg-test-default-user-sg': 'sg-0123456789abcdef1',
  'pl-test123': 'pl-0123456789abcdef0',
};

/** A domain that goes with everything in it. */
export function departing(): string {
  const file = join(newFolder(), 'departing.yaml');
  const text = `domain:
  authMode: IAM
  vpcId: vpc-0123456789abcdef0
  subnetIds: [subnet-0123456789abcdef0]
  dataAdminRoles: [{ name: admin }]
  userProfiles: { ann: { userRole: { name: analyst } } }
  departure: { homes: delete }
`;
  writeFileSync(file, text);
  return file;
}

/** The samples with ids in EC2's form, the example, and one that goes with everything: what `-c domains=…` takes. */
export function domainFiles(): string {
  const folder = samplesFolder();
  const files = SAMPLES.map((name) => {
    const file = sampleFile(name, folder);
    const text = Object.entries(IDS).reduce((all, [from, to]) => all.replaceAll(from, to), readFileSync(file, 'utf8'));
    writeFileSync(file, text);
    return file;
  });
  return [...files, EXAMPLE, departing()].join(',');
}
