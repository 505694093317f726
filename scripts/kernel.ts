/**
 * Compiles `kernel/assembly` to WebAssembly and writes it into `src/format/kernel.wasm.ts`, as base64 text,
 * so that it loads without a file system. The same source gives the same bytes on every machine;
 * `kernel/kernel.test.ts` holds it to that.
 */

import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { main } from 'assemblyscript/asc';

const LINE_CHARS = 100;
const BASE_DIR = fileURLToPath(new URL('../kernel/assembly', import.meta.url));
export const KERNEL_MODULE: string = fileURLToPath(new URL('../src/format/kernel.wasm.ts', import.meta.url));

// No allocation, no collector, no imports: memory is laid out by hand in memory.ts and never grows.
const OPTIONS =
  '--optimizeLevel 3 --converge --noAssert --runtime stub --enable simd ' +
  '--initialMemory 131 --maximumMemory 131';

/** The kernel, compiled from its source. Throws with the compiler's messages if it does not compile. */
export async function kernelCompile(): Promise<Uint8Array> {
  let wasm: Uint8Array | undefined;
  const writeFile = (name: string, contents: Uint8Array | string): void => {
    if (name === 'kernel.wasm' && typeof contents !== 'string') wasm = contents;
  };
  const argv = ['index.ts', '--baseDir', BASE_DIR, '--outFile', 'kernel.wasm', ...OPTIONS.split(' ')];
  let messages = '';
  const stderr = { write: (chunk: Uint8Array | string): void => void (messages += String(chunk)) };
  const { error } = await main(argv, { writeFile, stderr });
  if (error !== null || wasm === undefined || messages !== '') {
    throw new Error(`asc: ${error?.message ?? 'warnings are errors'}\n${messages}`);
  }
  return wasm;
}

/** The text of `kernel.wasm.ts` for these bytes. */
export function kernelModuleText(wasm: Uint8Array): string {
  const digits = Buffer.from(wasm).toString('base64');
  const lines: string[] = [];
  for (let at = 0; at < digits.length; at += LINE_CHARS)
    lines.push(`  '${digits.slice(at, at + LINE_CHARS)}'`);
  return [
    `/** Made by \`npm run kernel\` from kernel/assembly: ${wasm.length} bytes of WebAssembly in base64. */`,
    'export const KERNEL_BASE64: string =',
    `${lines.join(' +\n')};`,
    '',
  ].join('\n');
}

if (import.meta.main) {
  const wasm = await kernelCompile();
  writeFileSync(KERNEL_MODULE, kernelModuleText(wasm));
  console.log(`${KERNEL_MODULE}: ${wasm.length} bytes of WebAssembly`);
}
