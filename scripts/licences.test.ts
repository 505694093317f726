/**
 * Every package that `npm ci` installs has a licence that may be used, and none runs a script that was not
 * allowed.
 *
 * Read from the lockfile, which names every package, and from the installed manifests, since the lockfile may
 * be silent on licences.
 */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { suite, test } from 'node:test';

const root = resolve(import.meta.dirname, '..');

const ALLOWED: ReadonlySet<string> = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'Unlicense',
]);

interface Package {
  readonly name: string;
  readonly license: string | undefined;
  readonly hasInstallScript: boolean;
  readonly isDev: boolean;
}

/** Whether an SPDX expression leaves a choice that may be used. */
function isAllowed(license: string | undefined): boolean {
  if (license === undefined) return false;
  const parts = license.replaceAll(/[()]/g, '').split(/ (OR|AND) /);
  const names = parts.filter((_part, index) => index % 2 === 0);
  return parts.includes('OR') && !parts.includes('AND')
    ? names.some((name) => ALLOWED.has(name))
    : names.every((name) => ALLOWED.has(name));
}

/** What is wrong with `packages`, given the packages whose install scripts may run. */
function licenceComplaints(packages: readonly Package[], scriptsAllowed: readonly string[]): string[] {
  const complaints: string[] = [];
  for (const { name, license, hasInstallScript, isDev } of packages) {
    if (!isAllowed(license))
      complaints.push(`${name}: the licence "${license ?? 'none'}" is not on the list`);
    if (!hasInstallScript) continue;
    if (!isDev) complaints.push(`${name}: a runtime dependency must not have an install script`);
    if (!scriptsAllowed.includes(name)) complaints.push(`${name}: its install script is not in allowScripts`);
  }
  for (const name of scriptsAllowed) {
    if (!packages.some((each) => each.name === name && each.hasInstallScript)) {
      complaints.push(`${name}: allowScripts allows a script that does not exist`);
    }
  }
  return complaints;
}

interface LockEntry {
  readonly license?: string;
  readonly hasInstallScript?: boolean;
  readonly dev?: boolean;
}

/**
 * The packages of the lockfile. Packages for another system are not installed: the lockfile speaks for them.
 */
function packagesRead(): Package[] {
  const lock: { packages: Record<string, LockEntry> } = JSON.parse(
    readFileSync(join(root, 'package-lock.json'), 'utf8'),
  );
  return Object.entries(lock.packages)
    .filter(([path]) => path !== '')
    .map(([path, { license, hasInstallScript, dev }]) => {
      const manifest = join(root, path, 'package.json');
      const installed: { license?: string } = existsSync(manifest)
        ? JSON.parse(readFileSync(manifest, 'utf8'))
        : {};
      return {
        name: path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
        license: installed.license ?? license,
        hasInstallScript: hasInstallScript === true,
        isDev: dev === true,
      };
    });
}

suite('licences', () => {
  test('a licence that is not on the list, and an install script that is not allowed, are seen', () => {
    const harmless: Package = { name: 'a', license: 'MIT', hasInstallScript: false, isDev: false };
    assert.deepEqual(licenceComplaints([harmless, { ...harmless, license: '(GPL-3.0 OR MIT)' }], []), []);
    for (const license of ['GPL-3.0', 'MIT AND GPL-3.0', 'SEE LICENSE IN x', undefined]) {
      assert.equal(licenceComplaints([{ ...harmless, license }], []).length, 1, license);
    }
    const script: Package = { ...harmless, hasInstallScript: true, isDev: true };
    assert.deepEqual(licenceComplaints([script], ['a']), []);
    assert.equal(licenceComplaints([script], []).length, 1);
    assert.equal(licenceComplaints([{ ...script, isDev: false }], ['a']).length, 1);
    assert.equal(licenceComplaints([harmless], ['a']).length, 1);
  });

  test('every installed package has an allowed licence, and only allowed install scripts run', () => {
    const packages = packagesRead();
    assert.ok(packages.length > 20, `only ${packages.length} packages were seen`);
    const manifest: { allowScripts: Record<string, boolean> } = JSON.parse(
      readFileSync(join(root, 'package.json'), 'utf8'),
    );
    assert.deepEqual(licenceComplaints(packages, Object.keys(manifest.allowScripts)), []);
  });

  test('our own licence is Apache-2.0, and its text is here', () => {
    assert.match(readFileSync(join(root, 'LICENSE'), 'utf8'), /Apache License\s+Version 2\.0, January 2004/);
    assert.equal(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).license, 'Apache-2.0');
  });
});
