import { type Path, type Problem, Source, dotted, line } from './source';

/** One value of a YAML file, with what an error about it needs: where it is and what was found. */
export class Value {
  constructor(
    private readonly file: YamlFile,
    private readonly data: unknown,
    private readonly path: Path,
  ) {}

  /**
   * The values of a map, by key; a key that is not known is a problem. Null counts as an empty map.
   *
   * @param retired keys that are read, for the caller to refuse them with advice, and that no error offers.
   */
  map<K extends string>(known: readonly K[], retired: readonly K[] = []): Partial<Record<K, Value>> {
    if (this.isEmpty()) return {};
    if (!isMap(this.data)) {
      this.refuse(`give a map with ${list(known)}`);
      return {};
    }
    const values: Partial<Record<K, Value>> = {};
    for (const [key, data] of Object.entries(this.data)) {
      const value = new Value(this.file, data, [...this.path, key]);
      if ([...known, ...retired].includes(key as K)) values[key as K] = value;
      else value.unknown(`there ${known.length === 1 ? 'is' : 'are'} ${list(known)}`);
    }
    return values;
  }

  /** The values of a list that is not empty. */
  list(accepted: string): Value[] {
    if (!Array.isArray(this.data) || this.data.length === 0) {
      this.refuse(`give a list of ${accepted}`);
      return [];
    }
    return this.data.map((item, index) => new Value(this.file, item, [...this.path, index]));
  }

  /** A text of this form. */
  text(form: RegExp, accepted: string): string {
    if (typeof this.data === 'string' && form.test(this.data)) return this.data;
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
    if (typeof this.data === 'number' && this.data >= least && this.data <= most) return this.data;
    this.refuse(`give ${accepted}`);
    return least;
  }

  /** Says what is wrong with this value: what it is, and what to do. */
  refuse(advice: string): void {
    // A value stands where it begins, but one that is empty nowhere: it is said of its key.
    this.file.problem(this.path, `${this.called()} ${this.found()}: ${advice}`, this.isEmpty());
  }

  private unknown(advice: string): void {
    this.file.problem(this.path, `${this.called()} is not a key here: ${advice}`, true);
  }

  private isEmpty(): boolean {
    return this.data === null || this.data === undefined;
  }

  private called(): string {
    return `\`${dotted(this.path) || 'the file'}\``;
  }

  private found(): string {
    if (this.isEmpty()) return 'is empty';
    if (isMap(this.data)) return 'is a map';
    if (Array.isArray(this.data)) return this.data.length === 0 ? 'is an empty list' : 'is a list';
    const shown = String(this.data);
    return `is \`${shown.length > 100 ? `${shown.slice(0, 100)}…` : shown}\``;
  }
}

/** A YAML file while it is read value by value: it gathers all problems, so that one run shows them together. */
export class YamlFile {
  private readonly problems: Problem[];
  private readonly source: Source;

  /** @param name as the user named it. */
  constructor(name: string, text: string) {
    this.source = new Source(name, text);
    this.problems = [...this.source.problems];
  }

  root(): Value {
    return new Value(this, this.source.data, []);
  }

  /** @param key whether this is about the key at this path, and not about the value behind it. */
  problem(path: Path, message: string, key = false): void {
    this.problems.push({ file: this.source.file, line: this.source.line(path, key), message });
  }

  /** @throws Error with every problem, a line each, as `file:line: what`. */
  finish(): void {
    if (this.problems.length === 0) return;
    throw new Error(
      [...this.problems]
        .sort((a, b) => a.line - b.line)
        .map(line)
        .join('\n'),
    );
  }
}

function isMap(data: unknown): data is Record<string, unknown> {
  return typeof data === 'object' && data !== null && !Array.isArray(data);
}

function list(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(', ');
}
