import { LineCounter, type Node, type ParsedNode, isMap, isScalar, isSeq, parseDocument } from 'yaml';

/** One value of a YAML file, with what an error about it needs: where it is and what was found. */
export class Value {
  constructor(
    private readonly file: File,
    private readonly node: Node | null,
    private readonly path: string,
    private readonly line: number,
  ) {}

  /**
   * The values of a map, by key; a key that is not known is a problem. Null counts as an empty map.
   *
   * @param retired keys that are read, for the caller to refuse them with advice, and that no error offers.
   */
  map<K extends string>(known: readonly K[], retired: readonly K[] = []): Partial<Record<K, Value>> {
    const values: Partial<Record<K, Value>> = {};
    if (this.isEmpty()) return values;
    if (!isMap(this.node)) {
      this.refuse(`give a map with ${list(known)}`);
      return values;
    }
    for (const { key, value } of this.node.items) {
      const name = isScalar(key) ? String(key.value) : '?';
      const line = this.file.lineOf(key as Node);
      const path = this.path === '' ? name : `${this.path}.${name}`;
      if (!known.includes(name as K) && !retired.includes(name as K)) {
        this.file.problem(
          line,
          `\`${path}\` is not a key here: there ${known.length === 1 ? 'is' : 'are'} ${list(known)}`,
        );
        continue;
      }
      // A key without anything behind it is on its own line, not on the next value's.
      values[name as K] = new Value(
        this.file,
        value as Node | null,
        path,
        value ? this.file.lineOf(value as Node) : line,
      );
    }
    return values;
  }

  /** The values of a list that is not empty, each of which may stand there once. */
  list(accepted: string): Value[] {
    if (!isSeq(this.node) || this.node.items.length === 0) {
      this.refuse(`give a list of ${accepted}`);
      return [];
    }
    return this.node.items.map(
      (item, index) => new Value(this.file, item as Node, `${this.path}[${index}]`, this.file.lineOf(item as Node)),
    );
  }

  /** A text of this form. */
  text(form: RegExp, accepted: string): string {
    const value = isScalar(this.node) ? this.node.value : undefined;
    if (typeof value === 'string' && form.test(value)) return value;
    this.refuse(`give ${accepted}`);
    return '';
  }

  /** A list of texts of this form, each once. */
  texts(form: RegExp, one: string, many: string): string[] {
    const seen = new Set<string>();
    for (const value of this.list(many)) {
      const text = value.text(form, one);
      if (seen.has(text) && text !== '') value.refuse('name each once');
      seen.add(text);
    }
    return [...seen];
  }

  /** A number within these bounds. */
  number(least: number, most: number, accepted: string): number {
    const value = isScalar(this.node) ? this.node.value : undefined;
    if (typeof value === 'number' && value >= least && value <= most) return value;
    this.refuse(`give ${accepted}`);
    return least;
  }

  /** Says what is wrong with this value: what it is, and what to do. */
  refuse(advice: string): void {
    this.file.problem(this.line, `\`${this.path || 'the file'}\` ${this.found()}: ${advice}`);
  }

  private isEmpty(): boolean {
    return this.node === null || (isScalar(this.node) && this.node.value === null);
  }

  private found(): string {
    if (this.isEmpty()) return 'is empty';
    if (isMap(this.node)) return 'is a map';
    if (isSeq(this.node)) return this.node.items.length === 0 ? 'is an empty list' : 'is a list';
    return `is \`${isScalar(this.node) ? String(this.node.value) : 'an alias'}\``;
  }
}

/** A YAML file while it is read: it gathers all problems, so that one run shows them together. */
export class File {
  private readonly problems: { line: number; message: string }[] = [];
  private readonly lines = new LineCounter();
  private readonly content: ParsedNode | null;

  constructor(
    /** As the user named it. */
    readonly name: string,
    text: string,
  ) {
    const document = parseDocument(text, { lineCounter: this.lines, prettyErrors: false });
    for (const { pos, message } of document.errors)
      this.problem(this.lines.linePos(pos[0]).line, `not YAML: ${message}`);
    this.content = document.errors.length === 0 ? document.contents : null;
  }

  root(): Value {
    return new Value(this, this.content, '', 1);
  }

  problem(line: number, message: string): void {
    this.problems.push({ line, message });
  }

  lineOf(node: Node | null): number {
    return node?.range ? this.lines.linePos(node.range[0]).line : 1;
  }

  /** @throws Error with every problem, a line each, as `file:line: what`. */
  finish(): void {
    if (this.problems.length === 0) return;
    const sorted = [...this.problems].sort((a, b) => a.line - b.line);
    throw new Error(sorted.map(({ line, message }) => `${this.name}:${line}: ${message}`).join('\n'));
  }
}

function list(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(', ');
}
