import { statements } from '../policies';
import type { Statement } from '../policies';
import type { Synthesis } from './synth';

/** The region's and account's parts of ARNs, short. */
function brief(text: string): string {
  return text
    .replaceAll('${AWS::Partition}', 'P')
    .replaceAll('${AWS::Region}', 'R')
    .replaceAll('${AWS::AccountId}', 'A');
}

/** A statement as one line that a reviewer reads. */
export function sentence(statement: Statement): string {
  const { effect, principals, actions, resources, conditions } = statement;
  const who = principals.length > 0 ? ` ${[...principals].sort().join(', ')}` : '';
  const when = Object.entries(conditions).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, values]) => `${operator} ${key} ${values.join(' | ')}`),
  );
  const what = `${effect}${who}: ${actions.join(' ')} on ${resources.join(' | ') || 'itself'}`;
  return brief(when.length > 0 ? `${what} if ${when.sort().join(' and ')}` : what);
}

/** Every statement that a resource holds, by its logical id without the hash. */
export function saidBy(synthesis: Synthesis, holder: string): string[] {
  return statements(synthesis.resources)
    .filter((statement) => statement.holder === holder)
    .map(sentence);
}
