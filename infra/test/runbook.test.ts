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
  const runbook = readFileSync(join(PROJECT_ROOT, 'docs', 'RUNBOOK.md'), 'utf8');
  const sections = anchors(runbook);
  const alarms = new Synthesized().ofType('AWS::CloudWatch::Alarm');

  it('has every section that an alarm points to', () => {
    assert.ok(alarms.length > 0);
    for (const [id, { Properties }] of alarms) {
      const [, anchor] = /docs\/RUNBOOK\.md#(\S+)$/.exec(Properties.AlarmDescription) ?? [];
      assert.ok(anchor !== undefined && sections.has(anchor), `${id}: ${Properties.AlarmDescription}`);
    }
  });

  it('names every alarm, by the end of its name, beside the section that the alarm itself points to', () => {
    const rows = new Map(
      [...runbook.matchAll(/^\| alarm `(.+?)` \|.*\(#(\S+)\) \|$/gm)].map(([, name, to]) => [name!, to!]),
    );
    const seen = new Set<string>();
    for (const [id, { Properties }] of alarms) {
      const row = [...rows].find(([name]) => Properties.AlarmName.endsWith(name.replace('…', '')));
      assert.ok(row !== undefined, `${id}: ${Properties.AlarmName}`);
      assert.ok(Properties.AlarmDescription.endsWith(`#${row[1]}`), `${id}: ${Properties.AlarmDescription}`);
      seen.add(row[0]);
    }
    assert.deepEqual(
      [...rows.keys()].filter((name) => !seen.has(name)),
      [],
    );
  });

  it('has a section for every cause of an alert that the orchestrator sends', () => {
    const source = readFileSync(join(PROJECT_ROOT, 'statemachine', 'src', 'alert.rs'), 'utf8');
    const names = /fn name\(self\)[^]*?\n {4}\}/.exec(source)?.[0] ?? '';
    const causes = [...names.matchAll(/"(\w+)"/g)].map(([, name]) => name!);
    assert.ok(causes.includes('failed'), `${causes}`);
    const rows = [...runbook.matchAll(/^\| alert `(\w+)` \|.*\(#(\S+)\) \|$/gm)].map(([, name]) => name!);
    assert.deepEqual(rows.sort(), causes.sort());
  });

  it('asks for commands that there are', () => {
    const source = readFileSync(join(PROJECT_ROOT, 'cli', 'src', 'args.rs'), 'utf8');
    const list = /pub\(crate\) enum Command \{([^]*?)\n\}/.exec(source)?.[1] ?? '';
    const commands = [...list.matchAll(/^ {4}(\w+)\(/gm)].map(([, name]) => name!.toLowerCase());
    const asked = new Set([...runbook.matchAll(/`tidegate ([a-z]+)/g)].map(([, name]) => name!));
    assert.ok(asked.size > 5, `${[...asked]}`);
    assert.deepEqual(
      [...asked].filter((name) => !commands.includes(name)),
      [],
    );
  });

  it('leads only to sections that it has', () => {
    const links = [...runbook.matchAll(/\]\(#(\S+?)\)/g)].map(([, anchor]) => anchor!);
    assert.ok(links.length > 14, `${links}`);
    assert.deepEqual(
      links.filter((anchor) => !sections.has(anchor)),
      [],
    );
  });

  it('is read as it is shown', () => {
    const text = '# A\n## A `b`, c-d: e?\n```\n# no\n```\n## A `b`, c-d: e?\n#none\n## End ##\n';
    assert.deepEqual([...anchors(text)], ['a', 'a-b-c-d-e', 'a-b-c-d-e-1', 'end']);
  });
});
