/**
 * Modules that run as a program of their own (workers, child processes): `.ts` in a checkout, `.js` when
 * installed.
 */

/** The URL of the module `name` (`./worker.ts`), relative to the caller's `import.meta.url`. */
export function moduleUrl(name: `${string}.ts`, callerUrl: string): URL {
  return new URL(callerUrl.endsWith('.ts') ? name : name.replace(/\.ts$/, '.js'), callerUrl);
}
