import Ajv2020 from 'ajv/dist/2020';
import type { ErrorObject, ValidateFunction } from 'ajv/dist/2020';
import { nearest } from '../nearest';
import type { Schema } from './schema-words';
import { dotted } from './source';
import type { Path, Problem, Source } from './source';

/** Checks data against one schema; it is compiled at the first use. */
export class Structure {
  private compiled: ValidateFunction | undefined;

  constructor(private readonly schema: Schema) {}

  /** Whether the schema accepts this data; ajv's own answer, for comparison. */
  accepts(data: unknown): boolean {
    return this.validator()(data);
  }

  /** What the schema has against this file, in our words, in the order of the file. */
  problems(source: Source): Problem[] {
    const validate = this.validator();
    if (validate(source.data)) return [];
    const problems: Problem[] = [];
    for (const error of validate.errors ?? []) {
      const said = describe(source, error);
      if (said !== undefined) problems.push(said);
    }
    return problems;
  }

  private validator(): ValidateFunction {
    if (this.compiled === undefined) {
      const ajv = new Ajv2020({
        allErrors: true,
        verbose: true,
        strict: true,
        strictRequired: false,
        strictTypes: false,
      });
      ajv.addKeyword('errorMessage');
      this.compiled = ajv.compile(this.schema);
    }
    return this.compiled;
  }
}

function describe(source: Source, error: ErrorObject): Problem | undefined {
  const path = pathOf(error.instancePath, source.data);
  // The rules between keys have better words in `rules.ts`.
  if (error.schemaPath.includes('/allOf/')) return undefined;
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = error.params['additionalProperty'] as string;
      return source.problem(
        [...path, key],
        unknownKey([...path, key], key, Object.keys(error.parentSchema?.['properties'] ?? {})),
      );
    }
    case 'required': {
      const missing = error.params['missingProperty'] as string;
      if (error.schemaPath.includes('/oneOf/')) return undefined; // Said once, at `oneOf`.
      const schema = (error.parentSchema?.['properties'] as Record<string, unknown> | undefined)?.[missing];
      return source.problem(path, `\`${dotted([...path, missing])}\` is missing: ${accepted(schema) ?? 'give it'}`);
    }
    case 'propertyNames':
      return source.problem(
        [...path, error.params['propertyName'] as string],
        `the key \`${dotted([...path, error.params['propertyName'] as string])}\` is not accepted: ${accepted(error.schema)}`,
      );
    case 'if':
      return undefined; // What `then` or `else` says comes beside it.
    default:
      // What a key is checked by is said at `propertyNames`.
      if (error.propertyName !== undefined) return undefined;
      return source.problem(path, `\`${dotted(path) || 'the file'}\` is ${found(error.data)}: ${expected(error)}`);
  }
}

function unknownKey(path: Path, key: string, known: readonly string[]): string {
  const list = known.map((name) => `\`${name}\``).join(', ');
  const near = nearest(key, known);
  const advice = near === undefined ? 'remove it' : `did you mean \`${near}\`?`;
  return `\`${dotted(path)}\` is no known key: ${advice}${advice.endsWith('?') ? '' : ';'} accepted here: ${list}`;
}

function expected(error: ErrorObject): string {
  const limit = error.params['limit'] as number | undefined;
  switch (error.keyword) {
    case 'minItems':
      return `give at least ${limit}`;
    case 'maxItems':
    case 'maxProperties':
      return `give at most ${limit}`;
    case 'uniqueItems':
      return 'give each value once';
    default:
      return accepted(error.parentSchema) ?? typeWords(error.params['type']);
  }
}

function accepted(schema: unknown): string | undefined {
  const { errorMessage, type } = (schema ?? {}) as { errorMessage?: string; type?: unknown };
  return errorMessage ?? (type === undefined ? undefined : typeWords(type));
}

function typeWords(type: unknown): string {
  const words: Record<string, string> = {
    object: 'give keys with values',
    array: 'give a list',
    string: 'give a text',
  };
  return words[String([type].flat()[0])] ?? `give a value of type ${String(type)}`;
}

/** A value as the reader of an error wants to see it. */
export function found(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object')
    return `an object with ${
      Object.keys(value)
        .map((key) => `\`${key}\``)
        .join(', ') || 'no keys'
    }`;
  const shown = typeof value === 'string' ? value : JSON.stringify(value);
  return `\`${shown.length > 100 ? `${shown.slice(0, 100)}…` : shown}\``;
}

/** A JSON pointer as a path; numbers index lists only. */
function pathOf(pointer: string, data: unknown): Path {
  let here: unknown = data;
  return pointer
    .split('/')
    .slice(1)
    .map((part) => {
      const key = part.replace(/~1/g, '/').replace(/~0/g, '~');
      const step = Array.isArray(here) ? Number(key) : key;
      here = (here as Record<string | number, unknown> | undefined)?.[step];
      return step;
    });
}
