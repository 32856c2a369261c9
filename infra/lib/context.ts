/** Reads a context value: what `cdk -c key=value` or `cdk.json` set, else undefined. */
export type Context = (key: string) => unknown;

/** A text; an empty one counts as not given. */
export function text(context: Context, key: string): string | undefined {
  const value = context(key);
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw new Error(`context \`${key}\` is \`${JSON.stringify(value)}\`: give a text`);
  return value.trim() || undefined;
}

/** A switch, off unless it is given. */
export function flag(context: Context, key: string, otherwise = false): boolean {
  const value = context(key);
  if (value === undefined) return otherwise;
  if (value === false || value === 'false') return false;
  if (value === true || value === 'true') return true;
  throw new Error(`context \`${key}\` is \`${String(value)}\`: give \`true\` or \`false\``);
}

/** A whole number within bounds, both included. `-c` gives texts, `cdk.json` may give numbers. */
export function whole(
  context: Context,
  key: string,
  bounds: { readonly unit: string; readonly least: number; readonly most: number },
): number | undefined {
  const value = context(key);
  if (value === undefined || value === null || value === '') return undefined;
  const number = typeof value === 'string' && /^\d+$/.test(value.trim()) ? Number(value) : value;
  if (Number.isInteger(number) && bounds.least <= (number as number) && (number as number) <= bounds.most)
    return number as number;
  throw new Error(
    `context \`${key}\` is \`${String(value)}\`: give whole ${bounds.unit} from ${bounds.least} to ${bounds.most}`,
  );
}

/** Several texts, separated by commas. */
export function texts(context: Context, key: string): string[] {
  return (text(context, key) ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
