/** Reads declaration files (`.d.ts`) as `tsc` emits them, and gathers what is public. */

import { posix } from 'node:path';
import { type Node, parseSync, Visitor } from 'oxc-parser';

/** A name and the file that it comes from. */
interface Reference {
  readonly path: string;
  readonly name: string;
}

/** One declaration file. */
export interface Declarations {
  readonly path: string;
  /** Declared here: name → text, without comments and `export`. */
  readonly declared: ReadonlyMap<string, { readonly text: string; readonly mentions: readonly string[] }>;
  /** Imported here: local name → where from. Packages are left out: they are not ours to change. */
  readonly imported: ReadonlyMap<string, Reference>;
  /** Exported here: public name → where from (this file included). */
  readonly exported: ReadonlyMap<string, Reference>;
}

/** The `.d.ts` beside which `./a.js` or `./a.ts` stands. */
function declarationPath(from: string, module: string): string {
  return posix.join(posix.dirname(from), module.replace(/\.[jt]s$/, '.d.ts'));
}

/** Every identifier inside a node. */
function mentionsOf(text: string): string[] {
  const names = new Set<string>();
  const { program } = parseSync('mentions.d.ts', text, { sourceType: 'module' });
  new Visitor({ Identifier: (node) => void names.add(node.name) }).visit(program);
  return [...names];
}

/** Parses one declaration file. */
export function declarationsParse(path: string, source: string): Declarations {
  const parsed = parseSync(path, source, { sourceType: 'module' });
  const comments = parsed.comments.toReversed();
  const textOf = (node: { start: number; end: number }): string => {
    let text = source.slice(node.start, node.end);
    for (const { start, end } of comments) {
      if (start < node.start || end > node.end) continue;
      text = text.slice(0, start - node.start) + text.slice(end - node.start);
    }
    return text.replaceAll(/\n(\s*\n)+/g, '\n').trim();
  };

  const declared = new Map<string, { text: string; mentions: readonly string[] }>();
  const exported = new Map<string, Reference>();
  const imported = new Map<string, Reference>();
  const declare = (node: Node, isExported: boolean): void => {
    const names =
      node.type === 'VariableDeclaration'
        ? node.declarations.map(({ id }) => ('name' in id ? id.name : ''))
        : 'id' in node && node.id !== null && 'name' in node.id
          ? [node.id.name]
          : [];
    const text = textOf(node);
    for (const name of names) {
      const before = declared.get(name)?.text;
      const all = before === undefined ? text : `${before}\n${text}`;
      declared.set(name, { text: all, mentions: mentionsOf(all) });
      if (isExported) exported.set(name, { path, name });
    }
  };
  for (const node of parsed.program.body) {
    if (node.type !== 'ExportNamedDeclaration') declare(node, false);
    else if (node.declaration !== null) declare(node.declaration, true);
  }
  for (const { moduleRequest, entries } of parsed.module.staticImports) {
    if (!moduleRequest.value.startsWith('.')) continue;
    for (const { importName, localName } of entries) {
      const from = declarationPath(path, moduleRequest.value);
      imported.set(localName.value, { path: from, name: importName.name ?? localName.value });
    }
  }
  for (const { entries } of parsed.module.staticExports) {
    for (const { moduleRequest, importName, exportName, localName } of entries) {
      const name = exportName.name;
      if (name === null) continue;
      if (moduleRequest !== null) {
        exported.set(name, {
          path: declarationPath(path, moduleRequest.value),
          name: importName.name ?? name,
        });
      } else if (localName.name !== null && !exported.has(name)) {
        exported.set(name, imported.get(localName.name) ?? { path, name: localName.name });
      }
    }
  }
  return { path, declared, imported, exported };
}

/**
 * The text of all that `entry` exports, in alphabetical order, then, apart, of all that those declarations
 * mention, and so on. Throws where an exported name is declared nowhere.
 */
export function publicApi(entry: string, read: (path: string) => Declarations): string {
  const files = new Map<string, Declarations>();
  const open = (path: string): Declarations => {
    const file = files.get(path) ?? read(path);
    files.set(path, file);
    return file;
  };
  const find = (from: Reference): { file: Declarations; name: string } => {
    const file = open(from.path);
    if (file.declared.has(from.name)) return { file, name: from.name };
    const next = file.exported.get(from.name) ?? file.imported.get(from.name);
    if (next === undefined || (next.path === from.path && next.name === from.name)) {
      throw new Error(`${from.path} does not declare ${from.name}`);
    }
    return find(next);
  };

  const seen = new Set<string>();
  const mentioned: Reference[] = [];
  const collect = (references: readonly Reference[]): string[] =>
    references.flatMap((reference) => {
      const { file, name } = find(reference);
      const key = `${file.path} ${name}`;
      const declaration = file.declared.get(name);
      if (seen.has(key) || declaration === undefined) return [];
      seen.add(key);
      for (const word of declaration.mentions) {
        const from = file.imported.get(word);
        if (from !== undefined) mentioned.push(from);
        else if (word !== name && file.declared.has(word)) mentioned.push({ path: file.path, name: word });
      }
      return [declaration.text.replace(/^declare /, '')];
    });

  const names = [...open(entry).exported].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const exports = collect(names.map(([, reference]) => reference));
  const others: string[] = [];
  while (mentioned.length > 0) others.push(...collect(mentioned.splice(0)));
  const parts = [
    ...exports,
    ...(others.length > 0 ? ['// Mentioned by the above', ...others.toSorted()] : []),
  ];
  return `${parts.join('\n\n')}\n`;
}
