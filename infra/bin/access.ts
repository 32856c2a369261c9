import { AccessFileError, readAccess } from '../lib/access/config/read';
import { schemaText } from '../lib/access/config/schema';

/**
 * `access.ts FILE` checks a file `access` and prints its warnings; what is wrong goes to stderr, a line each, with exit code 1.
 * `access.ts --schema` prints the JSON schema that files are checked by.
 */
function main(args: readonly string[]): number {
  const [first, ...more] = args;
  if (first === undefined || more.length > 0) {
    process.stderr.write('give one file, or `--schema`\n');
    return 1;
  }
  if (first === '--schema') {
    process.stdout.write(schemaText());
    return 0;
  }
  try {
    for (const warning of readAccess(first).warnings) process.stdout.write(`${warning}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof AccessFileError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  }
}

process.exitCode = main(process.argv.slice(2));
