import { normalise } from '../lib/studio/config/normalised';
import type { NormalisedDocument } from '../lib/studio/config/normalised';
import { DomainFilesError, readDomains } from '../lib/studio/config/read';
import { schemaText } from '../lib/studio/config/schema';

/**
 * `studio-domain.ts FILE...` prints the checked domains as one JSON document (`NormalisedDocument`); what is wrong goes to
 * stderr, a line each, with exit code 1. `studio-domain.ts --schema` prints the JSON schema that files are checked by.
 */
function main(args: readonly string[]): number {
  if (args.length === 1 && args[0] === '--schema') {
    process.stdout.write(schemaText());
    return 0;
  }
  if (args.length === 0) {
    process.stderr.write('no file is named: give one or more domain files, or `--schema`\n');
    return 1;
  }
  try {
    const document: NormalisedDocument = { version: 1, domains: readDomains(args).map(normalise) };
    process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof DomainFilesError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  }
}

process.exitCode = main(process.argv.slice(2));
