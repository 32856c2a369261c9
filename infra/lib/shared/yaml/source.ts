import { readFileSync } from 'node:fs';
import { LineCounter, isAlias, isMap, isPair, isScalar, isSeq, parseDocument } from 'yaml';
import type { Document, Node } from 'yaml';

/** A place in a file's data: keys and indexes from the top. */
export type Path = readonly (string | number)[];

/** What is wrong, where. */
export interface Problem {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

/** `file:line: message`, as compilers write it and editors follow it. */
export function line(problem: Problem): string {
  return `${problem.file}:${problem.line}: ${problem.message}`;
}

/** One YAML file: its data, and the line of everything in it. */
export class Source {
  readonly data: unknown;
  /** Why it is no YAML; then `data` is undefined. */
  readonly problems: readonly Problem[];
  private readonly document: Document.Parsed;
  private readonly counter = new LineCounter();

  constructor(
    /** As it was named. */
    readonly file: string,
    content: string,
  ) {
    this.document = parseDocument(content, { lineCounter: this.counter, prettyErrors: false, uniqueKeys: true });
    const problems = this.document.errors.map(({ pos, message }) =>
      this.at(pos[0], `is no valid YAML: ${tame(message)}`),
    );
    try {
      // Aliases are followed a bounded number of times, or a small file could become a large one.
      if (problems.length === 0) this.data = this.document.toJS({ maxAliasCount: 100 });
    } catch (error) {
      problems.push(this.at(0, `is no valid YAML: ${tame((error as Error).message)}`));
    }
    this.problems = problems;
  }

  static read(file: string): Source {
    return new Source(file, readFileSync(file, 'utf8'));
  }

  /** The line of the value at this path or, with `key`, of its key; of the nearest thing around it if it does not exist. */
  line(path: Path, key = true): number {
    let node: Node | null = this.document.contents;
    let offset = start(node);
    for (const step of path) {
      const inner: Node | null = isAlias(node) ? (node.resolve(this.document) ?? null) : node;
      if (isMap(inner)) {
        const pair = inner.items.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === step);
        if (pair === undefined) break;
        node = pair.value as Node | null;
        offset = start(pair.key as Node) ?? offset;
        if (!key && node !== null) offset = start(node) ?? offset;
      } else if (isSeq(inner) && typeof step === 'number' && step < inner.items.length) {
        node = inner.items[step] as Node;
        offset = start(node) ?? offset;
      } else break;
    }
    return this.counter.linePos(offset ?? 0).line;
  }

  problem(path: Path, message: string): Problem {
    return { file: this.file, line: this.line(path), message };
  }

  private at(offset: number, message: string): Problem {
    return { file: this.file, line: Math.max(1, this.counter.linePos(offset).line), message };
  }
}

function start(node: Node | null | undefined): number | undefined {
  return node?.range?.[0];
}

/** The library's sentences in our own form: one line, lower case, no full stop. */
function tame(message: string): string {
  const first = (message.split('\n')[0] ?? '').replace(/[.:]$/, '');
  return first.charAt(0).toLowerCase() + first.slice(1);
}

/** A path as people write it: `domain.securityGroupIngress.ipv4[0].cidr`. */
export function dotted(path: Path): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`;
      const word = /^[A-Za-z_][\w-]*$/.test(step) ? step : JSON.stringify(step);
      return index === 0 ? word : `.${word}`;
    })
    .join('');
}
