/** A JSON schema, draft 2020-12. `errorMessage`, which editors show too, says what is accepted. */
export type Schema = { readonly [key: string]: unknown };

/** The three texts that are replaced wherever they stand. */
export const PLACEHOLDERS = ['{{partition}}', '{{region}}', '{{account}}'] as const;

const PLACEHOLDER = '\\{\\{(partition|region|account)\\}\\}';

/** `ssm:/path`: the value of a parameter, read when the stack is deployed. */
export const SSM = `ssm:/([A-Za-z0-9_./-]|${PLACEHOLDER})+`;

export function object(properties: Record<string, Schema>, more: Schema = {}): Schema {
  return { type: 'object', additionalProperties: false, properties, ...more };
}

export function array(items: Schema, more: Schema = {}): Schema {
  return { type: 'array', items, ...more };
}

/** A text of this pattern; `accepted` completes "give …". */
export function text(pattern: string, accepted: string, description?: string): Schema {
  return { type: 'string', ...(description && { description }), pattern, errorMessage: `give ${accepted}` };
}

/** A text that is not empty. */
export function name(description: string): Schema {
  return { type: 'string', minLength: 1, description, errorMessage: 'give a text' };
}

export function flag(description: string): Schema {
  return { type: 'boolean', description, errorMessage: 'give `true` or `false`' };
}

export function choice(values: readonly string[], description: string): Schema {
  const list = values.map((value) => `\`${value}\``).join(', ');
  return { type: 'string', enum: values, description, errorMessage: `give one of ${list}` };
}

export function whole(minimum: number, maximum: number, description: string): Schema {
  return {
    type: 'integer',
    minimum,
    maximum,
    description,
    errorMessage: `give a whole number from ${minimum} to ${maximum}`,
  };
}

/** An ARN of this service whose resource begins so (`role/`), or `ssm:/path`. */
export function arn(service: string, resource: string, accepted: string): Schema {
  const part = `([a-z0-9-]*|${PLACEHOLDER})`;
  return text(
    `^(${SSM}|arn:${part}:${service}:${part}:${part}:${resource}\\S+)$`,
    `${accepted}, \`arn:{{partition}}:${service}:…:${resource}…\`, or \`ssm:/path\``,
  );
}
