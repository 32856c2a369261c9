import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { PROJECT_ROOT } from '../lib/config';
import { Synthesized } from './stack';

/** The anchors of a document's headings, as GitHub makes them: a name that comes again gets a number. */
function anchors(markdown: string): Set<string> {
  const found = new Set<string>();
  const prose = markdown.replace(/^(```|~~~)[^]*?^\1/gm, ''); // A `#` in an example is no heading.
  for (const [, heading] of prose.matchAll(/^#{1,6} +(.+?)(?: +#+)? *$/gm)) {
    const plain = heading!.toLowerCase().replace(/[^\p{L}\p{N}\p{M} _-]/gu, '');
    const anchor = plain.replaceAll(' ', '-');
    let unique = anchor;
    for (let n = 1; found.has(unique); n++) unique = `${anchor}-${n}`;
    found.add(unique);
  }
  return found;
}

describe('the runbook', () => {
  const sections = anchors(readFileSync(join(PROJECT_ROOT, 'docs', 'RUNBOOK.md'), 'utf8'));
  const alarms = new Synthesized().ofType('AWS::CloudWatch::Alarm');

  it('has every section that an alarm points to', () => {
    assert.ok(alarms.length > 0);
    for (const [id, { Properties }] of alarms) {
      const [, anchor] = /docs\/RUNBOOK\.md#(\S+)$/.exec(Properties.AlarmDescription) ?? [];
      assert.ok(anchor !== undefined && sections.has(anchor), `${id}: ${Properties.AlarmDescription}`);
    }
  });

  it('is read as it is shown', () => {
    const text = '# A\n## A `b`, c-d: e?\n```\n# no\n```\n## A `b`, c-d: e?\n#none\n## End ##\n';
    assert.deepEqual([...anchors(text)], ['a', 'a-b-c-d-e', 'a-b-c-d-e-1', 'end']);
  });
});
