import { Synthesized } from '../stack';
import type { Resource } from '../stack';
import { accessFile } from './files';

const known = new Map<string, Synthesized>();

/** All stacks, with this file; synthesized once for each text and context. */
export function entered(text: string, context: Record<string, unknown> = {}): Synthesized {
  const key = JSON.stringify([text, context]);
  let synthesis = known.get(key);
  if (synthesis === undefined) known.set(key, (synthesis = new Synthesized({ ...context, access: accessFile(text) })));
  return synthesis;
}

/** The resources of the stack that lets people in. */
export function resources(synthesis: Synthesized): Record<string, Resource> {
  return synthesis.template('TidegateAccess').toJSON()['Resources'];
}

/** Those of a type. */
export function ofType(synthesis: Synthesized, type: string): any[] {
  return Object.values(resources(synthesis))
    .filter(({ Type }) => Type === type)
    .map(({ Properties }) => Properties);
}
