import type { Request } from '../simulator';

/** What a statement alone must do with a request. */
export interface Case {
  readonly sid: string;
  readonly what: string;
  readonly expected: 'allowed' | 'denied';
  readonly request: Request;
}

type Rest = Omit<Request, 'action' | 'context'>;

/** Several actions make several cases. */
const cases =
  (expected: Case['expected']) =>
  (sid: string, what: string, actions: string | readonly string[], context: Request['context'] = {}, rest: Rest = {}) =>
    [actions]
      .flat()
      .map((action): Case => ({ sid, what: `${action}: ${what}`, expected, request: { action, context, ...rest } }));

export const denies = cases('denied');
export const allows = cases('allowed');
