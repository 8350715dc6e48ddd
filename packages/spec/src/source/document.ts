import { withoutSecrets } from "./secrets.ts";
import { Composer, type Document, Lexer, LineCounter, Parser, isAlias, isMap, isScalar, isSeq } from "yaml";
import type { CST, Node, Pair } from "yaml";
import { type Diagnostic, type Location, type Severity, wholeFile } from "./diagnostic.ts";

/** What keeps hostile input from costing more than a moment. */
export const LIMITS = {
  /** Octets of one file. */
  bytes: 2 * 1024 * 1024,
  /** Collections inside each other. */
  depth: 48,
  /** Values that aliases may add to those written out. */
  aliased: 50_000,
  /** Syntax errors that are reported before giving up. */
  syntaxErrors: 20,
} as const;

/** Characters of a line that an excerpt holds at most. */
const EXCERPT = 1000;

/** Keys and indices that lead to a value. */
export type Path = readonly (string | number)[];

/** What a diagnostic says, apart from its place. */
export interface Finding {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  readonly severity?: Severity;
}

/** One YAML file: its value and where each part of it stands. */
export class SourceDocument {
  readonly file: string;
  readonly value: unknown;
  readonly diagnostics: readonly Diagnostic[];
  readonly #root: Node | null;
  readonly #text: string;
  readonly #lines = new LineCounter();

  /** Reads `text`; it never throws: what is wrong is in `diagnostics`. */
  constructor(file: string, text: string) {
    this.file = file;
    this.#text = text.startsWith("\uFEFF") ? text.slice(1) : text;
    const diagnostics: Diagnostic[] = [];
    const document = this.#compose(diagnostics);
    this.#root = document?.contents ?? null;
    this.value = diagnostics.length === 0 ? new Reader(this, diagnostics).read(this.#root) : undefined;
    this.diagnostics = diagnostics;
  }

  /** How many steps of `path` exist in this document. */
  depthOf(path: Path): number {
    return this.#walk(path).depth;
  }

  /** The place of the value at `path` (of its key, with `key`), or of the nearest thing around it that exists. */
  locate(path: Path, key = false): Location {
    const { node, keyNode, depth } = this.#walk(path);
    const chosen = (key || depth < path.length) && keyNode !== undefined ? keyNode : (node ?? keyNode);
    const [start, end] = chosen?.range ?? [0, 0];
    // A whole map would underline everything in it: its key says enough.
    const collection = chosen === node && (isMap(node) || isSeq(node)) ? keyNode?.range : undefined;
    return collection ? this.at(collection[0], collection[1]) : this.at(start, end);
  }

  /** The place of the octets from `start` to `end`. */
  at(start: number, end: number): Location {
    const from = this.#position(start);
    const to = this.#position(Math.max(end, start + 1));
    const skipped = from.column > EXCERPT / 2 ? from.column - EXCERPT / 10 : 0;
    const first = start - (from.column - 1) + skipped;
    const lineEnd = this.#text.indexOf("\n", first);
    const excerpt = this.#text.slice(first, Math.min(lineEnd < 0 ? this.#text.length : lineEnd, first + EXCERPT));
    return {
      file: this.file,
      ...from,
      endLine: to.line,
      endColumn: to.column,
      excerpt: withoutSecrets(excerpt.trimEnd()),
      excerptColumn: skipped + 1,
    };
  }

  #position(offset: number): { line: number; column: number } {
    const { line, col } = this.#lines.linePos(Math.min(offset, this.#text.length));
    return line === 0 ? { line: 1, column: 1 } : { line, column: col };
  }

  #walk(path: Path): { node: Node | null; keyNode: Node | undefined; depth: number } {
    let node = this.#resolve(this.#root);
    let keyNode: Node | undefined;
    let depth = 0;
    for (const step of path) {
      if (isMap(node)) {
        const pair = node.items.find((item) => keyText(item) === String(step));
        if (pair === undefined) break;
        keyNode = pair.key as Node;
        node = this.#resolve(pair.value as Node | null);
      } else if (isSeq(node) && typeof step === "number" && step < node.items.length) {
        node = this.#resolve(node.items[step] as Node);
        keyNode = node ?? keyNode;
      } else break;
      depth++;
    }
    return { node, keyNode, depth };
  }

  #resolve(node: Node | null): Node | null {
    return isAlias(node) ? (this.#anchors.get(node.source) ?? null) : node;
  }

  readonly #anchors = new Map<string, Node>();

  /** Notes an anchor; the newest of a name counts (YAML 1.2 §3.2.2.2). */
  anchor(name: string, node: Node): void {
    this.#anchors.set(name, node);
  }

  #compose(diagnostics: Diagnostic[]): Document.Parsed | undefined {
    const text = this.#text;
    const fail = (start: number, end: number, finding: Finding) => {
      diagnostics.push({ severity: "error", ...finding, ...this.at(start, end) });
    };
    if (text.length > LIMITS.bytes || Buffer.byteLength(text) > LIMITS.bytes) {
      diagnostics.push({
        ...wholeFile(this.file),
        severity: "error",
        code: "file-too-large",
        message: `the file is larger than ${LIMITS.bytes / 1024 / 1024} MiB`,
        remedy: "split it with include:",
      });
      return undefined;
    }
    const strange = text.search(/[\0\uFFFD]/);
    if (strange >= 0) {
      this.#lines.addNewLine(0);
      for (let at = text.indexOf("\n"); at >= 0 && at < strange; at = text.indexOf("\n", at + 1))
        this.#lines.addNewLine(at + 1);
      fail(strange, strange + 1, {
        code: "yaml-syntax",
        message: "the file is no text in UTF-8",
        remedy: "save it as UTF-8",
      });
      return undefined;
    }
    const parser = new Parser((offset) => this.#lines.addNewLine(offset));
    const tokens: CST.Token[] = [];
    this.#lines.addNewLine(0);
    for (const lexeme of new Lexer().lex(text)) {
      for (const token of parser.next(lexeme)) tokens.push(token);
      if (parser.stack.length > LIMITS.depth) {
        fail(parser.offset - lexeme.length, parser.offset, {
          code: "too-deep",
          message: `more than ${LIMITS.depth} collections are nested in each other`,
          remedy: "no description of a cluster needs that; remove the nesting",
        });
        return undefined;
      }
    }
    for (const token of parser.end()) tokens.push(token);
    const composer = new Composer({ uniqueKeys: false, logLevel: "silent", keepSourceTokens: false, merge: false });
    const [document, second] = [...composer.compose(tokens, true, text.length)];
    const problems = [...(document?.errors ?? []), ...(document?.warnings ?? [])].slice(0, LIMITS.syntaxErrors);
    for (const { message, pos } of problems)
      fail(pos[0], pos[1], {
        code: "yaml-syntax",
        message: `not valid YAML: ${message}`,
        remedy: "correct the syntax here",
      });
    if (second !== undefined)
      fail(second.range[0], second.range[0], {
        code: "yaml-documents",
        message: "the file holds more than one YAML document",
        remedy: "keep one, without --- between; use include: for more files",
      });
    return document;
  }
}

/** Turns nodes into plain values, with aliases expanded within the limit and keys checked. */
class Reader {
  readonly #source: SourceDocument;
  readonly #diagnostics: Diagnostic[];
  readonly #sizes = new Map<Node, { value: unknown; size: number }>();
  readonly #anchors = new Map<string, Node>();
  readonly #open = new Set<Node>();
  #aliased = 0;
  #size = 0;

  constructor(source: SourceDocument, diagnostics: Diagnostic[]) {
    this.#source = source;
    this.#diagnostics = diagnostics;
  }

  read(node: Node | null): unknown {
    if (node === null) return null;
    if (isAlias(node)) return this.#alias(node);
    this.#size++;
    if (!isMap(node) && !isSeq(node)) {
      this.#anchor(node);
      return isScalar(node) ? node.value : null;
    }
    const before = this.#size;
    this.#anchor(node);
    this.#open.add(node);
    const value = isMap(node) ? this.#map(node.items) : node.items.map((item) => this.read(item as Node | null));
    this.#open.delete(node);
    this.#sizes.set(node, { value, size: this.#size - before + 1 });
    return value;
  }

  #map(items: readonly Pair[]): Record<string, unknown> {
    const value: Record<string, unknown> = {};
    const places = new Map<string, Node>();
    for (const item of items) {
      const name = keyText(item);
      const keyNode = item.key as Node | null;
      if (name === undefined || name === "__proto__") {
        this.#fail(keyNode, "yaml-key", "a key must be a plain word", "write KEY: VALUE with a name as the key");
        continue;
      }
      const first = places.get(name);
      if (first !== undefined) {
        const { line } = this.#source.at(first.range?.[0] ?? 0, 0);
        this.#fail(keyNode, "duplicate-key", `"${name}" is already given in line ${line}`, "keep one of the two");
        continue;
      }
      places.set(name, keyNode as Node);
      value[name] = this.read(item.value as Node | null);
    }
    return value;
  }

  #alias(node: Node & { source: string }): unknown {
    const target = this.#anchors.get(node.source);
    if (target === undefined || this.#open.has(target)) {
      const what = target === undefined ? "names no anchor before it" : "stands inside its own anchor";
      this.#fail(node, "yaml-alias", `the alias *${node.source} ${what}`, "write the value out");
      return null;
    }
    const known = this.#sizes.get(target) ?? { value: isScalar(target) ? target.value : null, size: 1 };
    this.#size += known.size;
    this.#aliased += known.size;
    if (this.#aliased > LIMITS.aliased) {
      if (this.#aliased - known.size <= LIMITS.aliased)
        this.#fail(node, "yaml-alias", `aliases expand to more than ${LIMITS.aliased} values`, "write the values out");
      return null;
    }
    return known.value;
  }

  #anchor(node: Node & { anchor?: string }): void {
    if (node.anchor === undefined) return;
    this.#anchors.set(node.anchor, node);
    this.#source.anchor(node.anchor, node);
  }

  #fail(node: Node | null, code: string, message: string, remedy: string): void {
    const [start, end] = node?.range ?? [0, 0];
    this.#diagnostics.push({ code, severity: "error", message, remedy, ...this.#source.at(start, end) });
  }
}

function keyText(pair: Pair): string | undefined {
  const key = pair.key;
  if (!isScalar(key) || key.value === null) return undefined;
  return typeof key.value === "string" ? key.value : key.source;
}
