import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { KERNEL_MODULE, kernelCompile, kernelModuleText } from '../scripts/kernel.ts';

/** As much of WebAssembly as is used here. */
interface Instance {
  readonly exports: { readonly memory: { grow(pages: number): number } };
}
declare const WebAssembly: {
  readonly Module: (new (bytes: Uint8Array) => object) & { imports(module: object): readonly object[] };
  readonly Instance: new (module: object) => Instance;
};

test('the committed kernel is what its source compiles to; if not, run `npm run kernel`', async () => {
  const wasm = await kernelCompile();
  assert.equal(kernelModuleText(wasm), readFileSync(KERNEL_MODULE, 'utf8'));
  assert.ok(wasm.length < 16_384, `${wasm.length} bytes of WebAssembly`);
});

test('the kernel imports nothing and its memory cannot grow', async () => {
  const module = new WebAssembly.Module(await kernelCompile());
  assert.deepEqual(WebAssembly.Module.imports(module), []);
  const { memory } = new WebAssembly.Instance(module).exports;
  assert.throws(() => memory.grow(1), RangeError);
});
