/**
 * A source file as tidy sees it: its text, and the syntax facts that the rules ask about.
 *
 * Parsed with oxc-parser, since TypeScript 7 ships no JavaScript API. A file that does not parse is an error
 * here, never a file without findings.
 */

import { type Comment, type Node, parseSync, Visitor } from 'oxc-parser';

/** A function: `lines` from its first to its last, `ownLines` without those of the functions inside it. */
export interface FunctionFacts {
  readonly name: string;
  readonly line: number;
  readonly lines: number;
  readonly ownLines: number;
  readonly parameters: number;
}

/** Something at a line: a name that is declared, a module that is imported, a string. */
export interface At {
  readonly text: string;
  readonly line: number;
}

export interface Source {
  /** Relative to the root of the repository, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
  readonly comments: readonly At[];
  /** Module names of import and export statements, `import()`, and types `import('…')`. */
  readonly imports: readonly At[];
  readonly functions: readonly FunctionFacts[];
  /** Names that this file gives to something: variables, functions, parameters, types, fields. */
  readonly declared: readonly At[];
  /** Every identifier that is read or called. */
  readonly mentioned: readonly At[];
  readonly strings: readonly At[];
  readonly hasDefaultExport: boolean;
  /** Enums and namespaces: what type stripping cannot erase. */
  readonly unerasable: readonly At[];
}

interface Span {
  readonly start: number;
  readonly end: number;
}

interface OpenFunction extends Span {
  readonly name: string;
  readonly parameters: number;
  nestedLines: number;
}

/** Parses one file. Throws for a syntax error. */
export function sourceParse(path: string, text: string): Source {
  const parsed = parseSync(path, text, { sourceType: 'module' });
  const [error] = parsed.errors;
  if (error !== undefined) throw new SyntaxError(`${path}: ${error.message}`);

  const lineAt = lineFinder(text);
  const facts = new Facts(lineAt);
  facts.visit(parsed.program);
  const imports: At[] = [...facts.imports];
  for (const { moduleRequest } of parsed.module.staticImports) {
    imports.push({ text: moduleRequest.value, line: lineAt(moduleRequest.start) });
  }
  let hasDefaultExport = false;
  for (const { entries } of parsed.module.staticExports) {
    for (const { exportName, moduleRequest } of entries) {
      if (exportName.kind === 'Default' || exportName.name === 'default') hasDefaultExport = true;
      if (moduleRequest !== null)
        imports.push({ text: moduleRequest.value, line: lineAt(moduleRequest.start) });
    }
  }
  return {
    path,
    text,
    lines: text.split('\n'),
    comments: parsed.comments.map((comment: Comment) => ({
      text: comment.value,
      line: lineAt(comment.start),
    })),
    imports,
    functions: facts.functions,
    declared: facts.declared,
    mentioned: facts.mentioned,
    strings: facts.strings,
    hasDefaultExport,
    unerasable: facts.unerasable,
  };
}

/** A function from offset to 1-based line. */
function lineFinder(text: string): (offset: number) => number {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (Number(starts[middle]) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  };
}

/** Collects facts in one walk over the syntax tree. */
class Facts {
  readonly imports: At[] = [];
  readonly functions: FunctionFacts[] = [];
  readonly declared: At[] = [];
  readonly mentioned: At[] = [];
  readonly strings: At[] = [];
  readonly unerasable: At[] = [];
  readonly #lineAt: (offset: number) => number;
  readonly #open: OpenFunction[] = [];
  #nameHint = '';

  constructor(lineAt: (offset: number) => number) {
    this.#lineAt = lineAt;
  }

  visit(program: Parameters<Visitor['visit']>[0]): void {
    const enter = (node: { params: readonly unknown[]; id?: { name: string } | null } & Span): void =>
      this.#enter(node);
    const leave = (): void => this.#leave();
    const declare = (name: Node | null | undefined): void => this.#declare(name);
    new Visitor({
      FunctionDeclaration: (node) => {
        declare(node.id);
        enter(node);
      },
      'FunctionDeclaration:exit': leave,
      FunctionExpression: enter,
      'FunctionExpression:exit': leave,
      ArrowFunctionExpression: enter,
      'ArrowFunctionExpression:exit': leave,
      MethodDefinition: (node) => declare(node.key),
      PropertyDefinition: (node) => declare(node.key),
      VariableDeclarator: (node) => declare(node.id),
      ClassDeclaration: (node) => declare(node.id),
      TSInterfaceDeclaration: (node) => declare(node.id),
      TSTypeAliasDeclaration: (node) => declare(node.id),
      TSPropertySignature: (node) => declare(node.key),
      TSMethodSignature: (node) => declare(node.key),
      TSEnumDeclaration: (node) => this.#unerasable('enum', node),
      TSModuleDeclaration: (node) => this.#unerasable('namespace', node),
      TSImportType: (node) => this.#import(node.source),
      ImportExpression: (node) => this.#import(node.source),
      Identifier: (node) => this.mentioned.push({ text: node.name, line: this.#lineAt(node.start) }),
      Literal: (node) => {
        if (typeof node.value === 'string') {
          this.strings.push({ text: node.value, line: this.#lineAt(node.start) });
        }
      },
      TemplateElement: (node) => {
        this.strings.push({ text: node.value.cooked ?? '', line: this.#lineAt(node.start) });
      },
    }).visit(program);
  }

  #declare(name: Node | null | undefined): void {
    if (name?.type !== 'Identifier' && name?.type !== 'PrivateIdentifier') return;
    this.declared.push({ text: name.name, line: this.#lineAt(name.start) });
    this.#nameHint = name.name;
  }

  #import(module: Node): void {
    if (module.type !== 'Literal' || typeof module.value !== 'string') return;
    this.imports.push({ text: module.value, line: this.#lineAt(module.start) });
  }

  #unerasable(what: string, node: Span): void {
    this.unerasable.push({ text: what, line: this.#lineAt(node.start) });
  }

  #enter(node: { params: readonly unknown[]; id?: { name: string } | null } & Span): void {
    const name = node.id?.name ?? this.#nameHint;
    this.#open.push({
      name,
      parameters: node.params.length,
      nestedLines: 0,
      start: node.start,
      end: node.end,
    });
    for (const parameter of node.params) this.#declareParameter(parameter);
    this.#nameHint = '';
  }

  #declareParameter(parameter: unknown): void {
    const hint = this.#nameHint;
    // A parameter is a pattern; only plain names are declared by this function's author alone.
    if (typeof parameter === 'object' && parameter !== null && 'name' in parameter && 'start' in parameter) {
      this.declared.push({ text: String(parameter.name), line: this.#lineAt(Number(parameter.start)) });
    }
    this.#nameHint = hint;
  }

  #leave(): void {
    const closed = this.#open.pop();
    if (closed === undefined) throw new Error('tidy: a function ended that never began');
    const line = this.#lineAt(closed.start);
    const lines = this.#lineAt(closed.end) - line + 1;
    const outer = this.#open.at(-1);
    if (outer !== undefined) outer.nestedLines += lines;
    const { name, parameters } = closed;
    this.functions.push({ name, line, lines, ownLines: lines - closed.nestedLines, parameters });
  }
}
